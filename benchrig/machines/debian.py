"""The Debian 12 that every machine of our own is made of, in the lab as in a virtual machine."""

from __future__ import annotations

PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
)

MASKED = (
    # They would wake up during a measurement, or hold apt's lock when a role needs it.
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    # Nobody is ever asked for a password, and each takes an inotify instance, of which all machines share a few.
    *("systemd-ask-password-console.path", "systemd-ask-password-wall.path"),
)

APT_OPTIONS = 'Acquire::Languages "none";\n'

MIRRORS_HINT = (
    "It fetches Debian packages from the mirrors of this machine's own apt sources: can apt-get update reach them?"
)
"""What to do when it cannot be made."""
