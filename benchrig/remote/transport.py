"""paramiko's transport with signs of life: a silent peer is asked each few seconds, and given up when it does not answer.

paramiko's own keepalives are not answered, so they do not show that a peer hangs. Here the peer must answer
(keepalive@openssh.com, as ServerAliveInterval of ssh_config(5) has it), and one thread counts for all connections.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import paramiko
from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_EXTENDED_DATA, cMSG_CHANNEL_CLOSE, cMSG_GLOBAL_REQUEST
from paramiko.packet import Packetizer

from benchrig.agent.text import short
from benchrig.remote.waits import within

ASK_SECONDS = 5
"""A peer that says nothing for so long is asked for a sign of life, and asked again each time that it has passed."""

LOST_SECONDS = 20
"""A peer that says nothing for so long, although it was asked, is lost."""

_TURN_SECONDS = 0.03

LONGEST_PACKET = 1 << 18
"""Bytes of a packet, as in OpenSSH: a length beyond it is an attack, or not SSH."""

LONGEST_GREETING = 1 << 16
"""Bytes that may come before the line with which an SSH server names itself."""


class Packets(Packetizer):
    """Reads and writes a connection's packets; counts those that came, and asks for one when told to."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self.heard = 0
        """Packets that came."""
        self.wanted = False
        """A sign of life is wanted: the transport's own thread asks for it, so that nothing else can block."""
        self.ask: Callable[[], None] = lambda: None
        self.greeting = b""
        """What came before the first packet."""
        self.broken = False
        """Nothing can be read or written any more; the transport knows it a moment later."""
        self._sending = threading.RLock()
        self.gates = threading.local()
        """Of which channel each thread sends a packet just now, as `gate`."""
        self.cut_off = False
        """The peer hung up before it named itself."""

    def send_message(self, data: paramiko.Message) -> None:
        """Send a packet, unless it is of a channel whose end was sent before."""
        gate = self.gates.__dict__.get("gate")
        if gate is None:
            super().send_message(data)
            return
        with self._sending:
            if not gate.closed:
                gate.closed = data.asbytes()[:1] == cMSG_CHANNEL_CLOSE
                super().send_message(data)

    def close(self) -> None:
        """Close the way to the peer. What cannot be closed any more is closed."""
        with suppress(Exception):
            super().close()

    def read_message(self) -> tuple[int, paramiko.Message]:
        """Return the next packet. Raises SSHException for one that is damaged."""
        message: tuple[int, paramiko.Message] = super().read_message()
        self.heard += 1
        return message

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Return `n` bytes. Raises SSHException when a packet claims to be longer than any is."""
        if n > LONGEST_PACKET:
            raise paramiko.SSHException("it sends what is not SSH")
        try:
            read: bytes = super().read_all(n, check_rekey)
        except (EOFError, OSError):
            self.broken = True
            raise
        return read

    def write_all(self, out: Any) -> None:
        """Write bytes. Raises EOFError when the connection is broken."""
        try:
            super().write_all(out)
        except Exception:
            self.broken = True
            raise

    def readline(self, timeout: float) -> str:
        """Return the next line before the first packet; paramiko reads the server's name by it."""
        try:
            line: str = super().readline(timeout)
        except (EOFError, ConnectionError):
            self.cut_off = True
            raise
        return line

    def _read_timeout(self, timeout: float) -> bytes:
        base: Any = super()  # its types do not know how it reads
        data: bytes = base._read_timeout(timeout)
        self.greeting += data
        if len(self.greeting) > LONGEST_GREETING:
            raise paramiko.SSHException("it sends what is not SSH")
        return data

    def _check_keepalive(self) -> None:
        # The transport calls this whenever nothing came for 0.1 s.
        if self.wanted:
            self.wanted = False
            self.ask()


class _Gate:
    """What a channel has in place of its transport, so that none of its packets is sent after its end.

    paramiko lets one thread send data while another ends the channel. For data that comes after the end, OpenSSH ends the
    whole connection, with all that goes over it; or it takes them for those of a new channel that has the same number.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _send_user_message(self, message: paramiko.Message) -> None:
        gates = self._transport.packets.gates
        gates.gate = self
        try:
            base: Any = self._transport
            base._send_user_message(message)
        finally:
            gates.gate = None


class Transport(paramiko.Transport):
    """An SSH connection that ends when its peer shows no sign of life."""

    def __init__(self, sock: Any, **arguments: Any) -> None:
        super().__init__(sock, packetizer_class=Packets, **arguments)
        self.packets = cast(Packets, self.packetizer)
        self.packets.ask = self._ask
        this: Any = self
        this._channel_handler_table = {
            **this._channel_handler_table,
            MSG_CHANNEL_DATA: self._take,
            MSG_CHANNEL_EXTENDED_DATA: self._take_extended,
        }
        self.reason = ""
        """Why the connection ended, where more is known than that it did."""

    def run(self) -> None:
        """Read packets until the connection ends. Errors of closing it are no errors."""
        with suppress(Exception):
            super().run()

    def open_channel(self, *arguments: Any, **named: Any) -> paramiko.Channel:
        """Open a channel. Raises SSHException."""
        channel: Any = super().open_channel(*arguments, **named)
        channel.transport = _Gate(self)
        return cast(paramiko.Channel, channel)

    def watch(self) -> None:
        """From now on, have the peer show signs of life. It must have let us in: before, it may not be asked."""
        _watch.add(self)

    def greeting(self) -> str:
        """Return the first line that came from a peer that did not name itself, or empty."""
        lines = [line.strip() for line in self.packets.greeting.decode(errors="replace").splitlines() if line.strip()]
        return short(lines[0]) if lines and not self.remote_version else ""

    def is_connected(self) -> bool:
        """Say whether the peer can be talked to."""
        return bool(self.is_active() and not self.packets.broken)

    def cut(self, reason: str = "") -> None:
        """End the connection at once, whatever it is doing, and without a word to the peer."""
        self.reason = self.reason or reason
        if isinstance(self.sock, socket.socket):
            # All who read and write see it, and end as they do when the peer hangs up.
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
        else:
            within(_TURN_SECONDS, self.sock.close)

    def close(self) -> None:
        """Close the connection and its channels, within a second."""
        _watch.remove(self)
        if isinstance(self.sock, socket.socket):
            super().close()
        elif self.is_active():
            # Over a jump host, closing sends something. Many hosts may go over one that hangs, and are closed in turn.
            within(_TURN_SECONDS, super().close)

    def _take(self, channel: Any, message: paramiko.Message) -> None:
        channel._feed(message)
        self._bound(channel.in_buffer)

    def _take_extended(self, channel: Any, message: paramiko.Message) -> None:
        channel._feed_extended(message)
        self._bound(channel.in_stderr_buffer)

    def _bound(self, buffer: Any) -> None:
        # paramiko takes whatever comes, also beyond the window that it gave.
        if len(buffer) > 2 * self.default_window_size:
            self.reason = "it sends more than it may"
            raise paramiko.SSHException(self.reason)

    def _ask(self) -> None:
        this: Any = self
        if this.clear_to_send.is_set():
            request = paramiko.Message()
            request.add_byte(cMSG_GLOBAL_REQUEST)
            request.add_string("keepalive@openssh.com")
            request.add_boolean(True)
            this._send_message(request)

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        message.get_int()
        self.reason = self.reason or f"the host said: {short(message.get_text().strip(), 200)}"


class _Watch(threading.Thread):
    """Counts for each transport the seconds that nothing came.

    It counts its own rounds, not the time: a controller that was stopped itself (Ctrl-Z) has lost nobody.
    """

    def __init__(self) -> None:
        super().__init__(name="signs of life", daemon=True)
        self._lock = threading.Lock()
        self._silent: dict[Transport, tuple[int, int]] = {}
        """For each transport how many packets had come in the last round, and how many rounds that has not changed."""

    def add(self, transport: Transport) -> None:
        with self._lock:
            self._silent[transport] = (transport.packets.heard, 0)
            if self.ident is None:
                self.start()

    def remove(self, transport: Transport) -> None:
        with self._lock:
            self._silent.pop(transport, None)

    def run(self) -> None:
        while True:
            time.sleep(1)
            with self._lock:
                lost = [transport for transport in list(self._silent) if self._is_lost(transport)]
            for transport in lost:
                transport.cut(f"no sign of life for {LOST_SECONDS} s")

    def _is_lost(self, transport: Transport) -> bool:
        before, silent = self._silent[transport]
        heard = transport.packets.heard
        silent = silent + 1 if heard == before else 0
        self._silent[transport] = (heard, silent)
        if silent >= LOST_SECONDS or not transport.is_active():
            del self._silent[transport]
            return silent >= LOST_SECONDS
        if silent and silent % ASK_SECONDS == 0:
            transport.packets.wanted = True
        return False


_watch = _Watch()
