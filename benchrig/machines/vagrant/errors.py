"""What a failure of Vagrant means to a user: its own words, shortened, and what to do instead.

Vagrant says which error it is by the name of a class; prose is only quoted, never searched for its meaning.
"""

from __future__ import annotations

from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.vagrant.output import Failure

INSTEAD = (
    "Other ways to the same machine: libvirt (benchrig_provider: libvirt, with the packages vagrant-libvirt and"
    " libvirt-daemon-system), QEMU alone (-i qemu), or the lab (-i lab)."
)

NO_LIBVIRT = (
    "Start libvirt: systemctl start libvirtd; without systemd: virtlogd -d; libvirtd -d; virsh net-start default."
    " You must be root or in the group libvirt."
)

NO_BOX = (
    "Check the network and its proxy (https_proxy), or name a box that is there: benchrig_box: a name, an address or a file"
    " .box. With libvirt, benchrig builds one of its own from Debian packages when benchrig_box is not set."
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
    """Return the error to tell where there is no Vagrant."""
    packages = "apt-get install vagrant vagrant-libvirt libvirt-daemon-system"
    return MachineError("Vagrant is not installed", f"Install it with VirtualBox, or with libvirt: {packages}. {INSTEAD}")


def error(purpose: str, failure: Failure, provider: str) -> MachineError:
    """Return the error to tell for a failure of Vagrant. `purpose` says what could not be done."""
    reason = _reason(failure.text)
    if failure.kind in _NO_VIRTUALBOX or (failure.kind == "ProviderNotUsable" and provider == "virtualbox"):
        return MachineError(f"{purpose}: VirtualBox cannot be used: {_why_not_usable(failure.text)}", INSTEAD)
    if failure.kind == "ProviderNotFound":
        return MachineError(
            f"{purpose}: this Vagrant has no provider '{provider}'",
            f"Install it: apt-get install vagrant-{provider}, or vagrant plugin install vagrant-{provider}. {INSTEAD}",
        )
    if failure.kind in _NO_BOX:
        return MachineError(f"{purpose}: the box cannot be had: {reason}", NO_BOX)
    if failure.kind in _BUSY:
        return MachineError(f"{purpose}: another Vagrant is at work on it", "Wait for it to end, or end it, and try again.")
    if failure.kind == "VMBootTimeout":
        return MachineError(
            f"{purpose}: started, but it did not answer over SSH in time",
            Hint(Inv("up"), " tries again; ", Inv("destroy", "up"), " begins anew."),
        )
    if failure.kind in _TAKEN:
        return MachineError(
            f"{purpose}: {provider} has a machine of that name already, which Vagrant does not know of",
            Hint(
                Inv("up"), " removes what an interrupted run has left; for libvirt it needs virsh (package libvirt-clients)."
            ),
        )
    if failure.kind == "SnapshotNotFound":
        return MachineError(f"{purpose}: it was never kept", Hint("Keep it as it is: ", Inv("snapshot")))
    if failure.kind in _NO_CONNECTION or "libvirt-sock" in failure.text:
        return MachineError(f"{purpose}: libvirt does not answer: {reason}", NO_LIBVIRT)
    return MachineError(f"{purpose}: {_first_sentence(failure.text) or 'Vagrant failed and did not say why'}")


def _reason(text: str) -> str:
    """Return what went wrong with a box or a connection: Vagrant explains first and ends with the reason it was given."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else ""


def _why_not_usable(text: str) -> str:
    """Return the reason that Vagrant quotes in the last paragraph of its explanation."""
    return _first_sentence(text.strip().split("\n\n")[-1])


def _first_sentence(text: str) -> str:
    """Return the first sentence of an explanation, and no more than its first paragraph."""
    sentence = " ".join(text.strip().split("\n\n")[0].split())
    for mark in ("! ", ". "):
        sentence = sentence.partition(mark)[0]
    return sentence.rstrip(".!")
