"""Packages and settings of the Debian 12 in every machine that benchrig makes itself."""

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
    # They would run during a measurement, or hold apt's lock when a role needs it.
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    # No password is ever asked for, and each takes one of the few inotify instances that all machines share.
    *("systemd-ask-password-console.path", "systemd-ask-password-wall.path"),
)

APT_OPTIONS = 'Acquire::Languages "none";\n'

MIRRORS_HINT = (
    "Debian packages come from the mirrors in this computer's own apt sources. Check that apt-get update reaches them."
)
"""What to do when an image or a box cannot be made."""
