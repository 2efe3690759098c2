"""Errors of Vagrant: its message, shortened, and what to do.

Vagrant names each error by a class. Its texts are only quoted, never interpreted.
"""

from __future__ import annotations

from benchrig.agent.text import last_line
from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.registry import other_kinds
from benchrig.machines.vagrant.output import Failure

INSTEAD = (
    "Use libvirt as the provider (benchrig_provider: libvirt, with the packages vagrant-libvirt and libvirt-daemon-system)."
    f" {other_kinds('vagrant')}"
)

NO_LIBVIRT = (
    "Start libvirt: systemctl start libvirtd; without systemd: virtlogd -d; libvirtd -d; virsh net-start default."
    " You must be root or in the group libvirt."
)

NO_BOX = (
    "Check the network and its proxy (https_proxy), or name another box (benchrig_box: a name, a URL or a .box file)."
    " With libvirt, benchrig builds a box from Debian packages when benchrig_box is not set."
)

_NO_VIRTUALBOX = {
    "VirtualBoxNotDetected",
    "VBoxManageNotFoundError",
    "VirtualBoxKernelModuleNotLoaded",
    "VirtualBoxInstallIncomplete",
    "VirtualBoxInvalidVersion",
    "VBoxManageLaunchError",
}
_NO_BOX = {
    "BoxAddShortNotFound",
    "BoxAddNoMatchingProvider",
    "BoxAddNoMatchingVersion",
    "BoxAddNameMismatch",
    "BoxMetadataDownloadError",
    "BoxMetadataFileNotFound",
    "BoxMetadataMissing",
    "BoxNotFound",
    "BoxNotFoundWithProvider",
    "BoxServerNotSet",
    "BoxUnpackageFailure",
    "BoxVerificationFailed",
    "DownloaderError",
    "DownloaderChecksumError",
    "DownloaderInterrupted",
}
_TAKEN = {"DomainNameExists", "DomainVolumeExists", "VMNameExists"}
_NO_CONNECTION = {"FogLibvirtConnectionError", "ConnectionError", "SystemCallError"}
_BUSY = {"MachineLocked", "MachineActionLockedError", "EnvironmentLockedError"}


def not_installed() -> MachineError:
    """Return the error for a computer without Vagrant."""
    packages = "apt-get install vagrant vagrant-libvirt libvirt-daemon-system"
    return MachineError("Vagrant is not installed", f"Install it with VirtualBox, or with libvirt: {packages}. {INSTEAD}")


def error(purpose: str, failure: Failure, provider: str) -> MachineError:
    """Return the error for a failure of Vagrant. `purpose` says what could not be done."""
    reason = _reason(failure.text)
    if failure.kind in _NO_VIRTUALBOX or (failure.kind == "ProviderNotUsable" and provider == "virtualbox"):
        return MachineError(f"{purpose}: VirtualBox cannot be used: {_why_not_usable(failure.text)}", INSTEAD)
    if failure.kind == "ProviderNotFound":
        return MachineError(
            f"{purpose}: this Vagrant has no provider '{provider}'",
            f"Install it: apt-get install vagrant-{provider}, or vagrant plugin install vagrant-{provider}. {INSTEAD}",
        )
    if failure.kind in _NO_BOX:
        return MachineError(f"{purpose}: the box cannot be fetched: {reason}", NO_BOX)
    if failure.kind in _BUSY:
        return MachineError(f"{purpose}: another Vagrant process works on it", "Wait until it has ended, and try again.")
    if failure.kind == "VMBootTimeout":
        return MachineError(
            f"{purpose}: started, but it did not answer over SSH in time",
            Hint("Try again: ", Inv("up"), ". Or make it anew: ", Inv("destroy", "up"), "."),
        )
    if failure.kind in _TAKEN:
        return MachineError(
            f"{purpose}: {provider} has a machine of that name already, which Vagrant does not know",
            Hint(Inv("up"), " removes leftovers of interrupted runs; for libvirt it needs virsh (package libvirt-clients)."),
        )
    if failure.kind == "SnapshotNotFound":
        return MachineError(f"{purpose}: it has no snapshot", Hint("Take one: ", Inv("snapshot")))
    if failure.kind in _NO_CONNECTION or "libvirt-sock" in failure.text:
        return MachineError(f"{purpose}: libvirt does not answer: {reason}", NO_LIBVIRT)
    return MachineError(f"{purpose}: {_first_sentence(failure.text) or 'Vagrant failed and did not say why'}")


def _reason(text: str) -> str:
    """Return why a box or a connection failed: Vagrant explains first, and gives the reason in the last line."""
    return last_line(text).removeprefix("Error: ")


def _why_not_usable(text: str) -> str:
    """Return the reason that Vagrant quotes in the last paragraph of its explanation."""
    return _first_sentence(text.strip().split("\n\n")[-1])


def _first_sentence(text: str) -> str:
    """Return the first sentence of an explanation, and no more than its first paragraph."""
    sentence = " ".join(text.strip().split("\n\n")[0].split())
    for mark in ("! ", ". "):
        sentence = sentence.partition(mark)[0]
    return sentence.rstrip(".!")
