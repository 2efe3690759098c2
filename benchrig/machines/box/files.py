"""Packages and files of a box: a Debian 12 that boots fast and accepts the login of whoever starts it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable

from benchrig.machines.controller.settings import File
from benchrig.machines.debian import APT_OPTIONS, MASKED, PACKAGES

USER = "vagrant"
"""The login user, who may become root without a password."""

SEED = "opt/benchrig/seed"
"""Name of the tar archive that QEMU's fw_cfg hands to a machine, unpacked there at each start before sshd runs."""

BOX_PACKAGES = (
    *PACKAGES,
    "e2fsprogs",
    "initramfs-tools",
    "kmod",
    "linux-image-cloud-amd64",
    "python3-apt",
    "systemd-resolved",
    "udev",
    "zstd",
)

# Everybody knows this key. It is replaced at the first start: by Vagrant, or by the seed of the kind `qemu`.
VAGRANT_KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS"
    "0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6ki"
    "vAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE9"
    "8OHlnVYCzRdK8jlqm8tehUc9c9WhQ== vagrant insecure public key\n"
)

# Only the drivers of the virtual disk: a small initial file system makes the boot faster.
EARLY_FILES = (
    File("etc/initramfs-tools/conf.d/benchrig", b"MODULES=list\nCOMPRESS=zstd\n"),
    File("usr/share/initramfs-tools/modules.d/benchrig", b"virtio_pci\nvirtio_blk\next4\n"),
    File("etc/apt/apt.conf.d/70benchrig", APT_OPTIONS.encode()),
    File(
        "etc/dpkg/dpkg.cfg.d/benchrig",
        b"force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n",
    ),
)
"""There before the packages are."""

_START = f"""\
#!/bin/sh
# Puts in place what the hypervisor hands over: names, keys, settings. Where it hands over nothing, makes a host key.
set -eu
modprobe -q qemu_fw_cfg || :
seed=/sys/firmware/qemu_fw_cfg/by_name/{SEED}/raw
if [ -e "$seed" ]; then
    tar -x --no-overwrite-dir -f "$seed" -C /
    chown -R {USER}: /home/{USER}/.ssh
    hostname -F /etc/hostname
elif [ ! -e /etc/ssh/ssh_host_ed25519_key ]; then
    ssh-keygen -q -t ed25519 -N '' -C '' -f /etc/ssh/ssh_host_ed25519_key
fi
"""

# Not named benchrig-…: such units are apps, which a bench stops.
_UNIT = """\
[Unit]
Description=What the hypervisor hands to this machine, or a host key
After=local-fs.target
Before=ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/box-start

[Install]
RequiredBy=ssh.service
"""

_NETWORK = """\
[Match]
Name=eth* en*

[Network]
DHCP=ipv4
IPv6AcceptRA=no

[DHCPv4]
ClientIdentifier=mac
"""

_SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
"""

# Roles see by this time that the lists are fresh; apt itself does not change it when there is nothing new.
_APT = 'APT::Update::Post-Invoke-Success { "touch /var/lib/apt/lists"; };\n'

LATE_FILES = (
    File("etc/apt/apt.conf.d/75benchrig", _APT.encode()),
    File("etc/default/locale", b"LANG=C.UTF-8\n"),
    File("etc/fstab", b"/dev/vda1 / ext4 noatime 0 1\n"),
    File("etc/hostname", b"debian12\n"),
    File("etc/hosts", b"127.0.0.1 localhost\n127.0.1.1 debian12\n::1 localhost ip6-localhost ip6-loopback\n"),
    File("etc/machine-id", b""),
    File("etc/ssh/sshd_config.d/benchrig.conf", _SSHD.encode()),
    File(f"etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) NOPASSWD: ALL\n".encode(), 0o440),
    File("etc/systemd/network/80-dhcp.network", _NETWORK.encode()),
    File("etc/systemd/system/box-start.service", _UNIT.encode()),
    File(f"home/{USER}/.ssh/authorized_keys", VAGRANT_KEY.encode(), 0o600),
    File("usr/local/sbin/box-start", _START.encode(), 0o755),
)
"""There once the packages are."""

MASKED_UNITS = (*MASKED, "e2scrub_all.timer", "e2scrub_reap.service", "systemd-networkd-wait-online.service")

FINISH = f"""\
set -eu
rm -f /etc/ssh/ssh_host_* /etc/apt/apt.conf.d/99mmdebstrap
useradd --no-create-home --shell /bin/bash {USER}
cp -n /etc/skel/.[a-z]* /home/{USER}/
chown -R {USER}: /home/{USER}
chmod 700 /home/{USER}/.ssh
ln -sf ../run/systemd/resolve/resolv.conf /etc/resolv.conf
systemctl --quiet enable systemd-networkd systemd-resolved box-start
systemctl --quiet mask {" ".join(MASKED_UNITS)}
update-ca-certificates >/dev/null
apt-get clean
touch /var/lib/apt/lists
"""
"""Run by a shell in the box when all files are there."""

CONFIGURATION = """\
set root=(hd0,msdos1)
linux /vmlinuz root=/dev/vda1 ro net.ifnames=0 console=tty0 console=ttyS0 quiet
initrd /initrd.img
boot
"""
"""What the boot loader does. The links are Debian's own, so that a newer kernel is booted once it is installed."""


def archive(files: Iterable[File]) -> bytes:
    """Return a tar archive of files that root owns."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            entry = tarfile.TarInfo(file.path)
            entry.size, entry.mode = len(file.content), file.mode
            tar.addfile(entry, io.BytesIO(file.content))
    return packed.getvalue()
