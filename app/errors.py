"""What can go wrong, in the words that the user reads.

The docstring of each class is its text: what happened, then what to do. Fields in braces
are filled from the keyword arguments of the constructor and stay readable on ``fields``.
"""

from __future__ import annotations

import inspect
import os


class PostError(Exception):
    """Something went wrong."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join(inspect.cleandoc(self.__doc__ or "").split()).format(**fields))


def system_words(e: BaseException | None) -> str:
    """What went wrong with the system, in its own words, without a full stop."""
    number = getattr(e, "osError", None)  # of Twisted, whose own words have the number, too
    known = os.strerror(number) if isinstance(number, int) else getattr(e, "strerror", None)
    return (known or str(e) or type(e).__name__).rstrip(".")


# -- listening


class ListenError(PostError):
    """Cannot listen on {address}: {reason}. Choose another address or port."""


class AddressInUseError(ListenError):
    """Port {port} is in use by {owner}. Stop it or choose another port."""


class AddressInUseByOtherError(ListenError):
    """Port {port} is in use by another program. Stop it or choose another port."""


class PrivilegedPortError(ListenError):
    """Port {port} is reserved for administrators. Choose one from 1024 up."""


class AddressNotHereError(ListenError):
    """{host} is not an address of this machine. Use 127.0.0.1, 0.0.0.0 or one of its own."""


class UnknownHostError(ListenError):
    """No address is known for the name {host}. Check its spelling or use a number like 127.0.0.1."""


class InvalidAddressError(PostError):
    """{text} is not an address to listen on. Write host:port, as in 127.0.0.1:9007 or [::1]:9007."""


class PortNotShareableError(ListenError):
    """This system cannot share a port among programs. Turn reuse_port off."""


class GroupNotJoinedError(ListenError):
    """Cannot join the multicast group {group}: {reason}. Name one of {names} in multicast_interface."""


class GroupUnreachableError(ListenError):
    """What is sent to the multicast group {group} does not reach a service on {host}. Listen on {wanted}."""


class ResponderBrokenError(PostError):
    """The responder {responder} could not be set up: {reason}. See the Failures pane."""


class UnknownResponderError(PostError):
    """There is no responder called {responder}. Put back the plugin that brought it, or choose another."""


class OptionWrongError(PostError):
    """The option {key} of {responder} {problem}."""


class TLSSetupError(PostError):
    """{reason}."""


# -- TLS


class TLSFileError(TLSSetupError):
    """Cannot read {path}, which TLS needs: {reason}. Check the name and who may read it."""


class NotACertificateError(TLSSetupError):
    """There is no certificate in {path} that can be read. It must be PEM or PKCS#12."""


class NotAKeyError(TLSSetupError):
    """There is no private key in {path} that can be read. Name a PEM file with one in tls.key (send: --key)."""


class PasswordMissingError(TLSSetupError):
    """{path} is locked. Give its password in tls.password (send takes none), or use a file without one."""


class WrongPasswordError(TLSSetupError):
    """The password does not open {path}. Correct tls.password."""


class ForeignKeyError(TLSSetupError):
    """The private key in {key} does not belong to a certificate in {path}. Use the key that it was made with."""


class RefusedCertificateError(TLSSetupError):
    """The certificate in {path} cannot be used: OpenSSL says "{reason}". Make one with a stronger key or signature."""


class ForeignNameError(TLSSetupError):
    """The local authority does not sign for {name}, only for local names and private addresses.
    Use a certificate of your own, or have a new authority made: listening-post ca --any-name."""


class AuthorityError(TLSSetupError):
    """The local authority {path} cannot be used: {reason}. Move that file away, and a new one is made."""


class KeyLogError(TLSSetupError):
    """Cannot write session keys to {path}: {reason}. Choose another file in tls.key_log."""


class ExportError(PostError):
    """Cannot write {path}: {reason}."""


# -- workspace


class WorkspaceError(PostError):
    """{problems}"""


class WorkspaceUnreadableError(PostError):
    """Cannot read the workspace {path}: {reason}."""


class WorkspaceUnwritableError(PostError):
    """Cannot save the workspace to {path}: {reason}. Save it somewhere else."""


# -- capture


class CaptureError(PostError):
    """{path}: {reason}."""


class CaptureMissingError(CaptureError):
    """There is no capture at {path}. Check the name."""


class NotACaptureError(CaptureError):
    """{path} is not a capture of Listening Post. Choose a file that ends in .lpost."""


class DamagedCaptureError(CaptureError):
    """{path} is damaged or cut short ({reason}). Copy it, then try sqlite3's .recover on the copy."""


class NewerCaptureError(CaptureError):
    """{path} was written by a newer Listening Post (format {found}; this one writes {known}).
    It can be read here, but not added to: choose another file to capture into."""


class UnreadableCaptureError(CaptureError):
    """Cannot open {path}: {reason}."""


class CaptureInUseError(CaptureError):
    """{path} is open, here or in another program. Close it, or choose another name."""


class SavedOverItselfError(CaptureError):
    """{path} is the capture that is to be saved. Choose another name."""


class PatternError(PostError):
    """The pattern {pattern} {problem}."""


# -- relaying


class InvalidUpstreamError(PostError):
    """{text} is not an address to relay to. Write host:port, as in 127.0.0.1:9000 or [::1]:9000."""


class InvalidUpstreamURLError(PostError):
    """{text} is not a URL to relay to. Write {scheme}://host:port, as in {scheme}://127.0.0.1:9000/path."""


class UpstreamError(PostError):
    """The connection to {address} failed: {reason}."""


class UpstreamRefusedError(UpstreamError):
    """{address} refused the connection. Start the server there, or correct the option upstream."""


class UpstreamUnknownError(UpstreamError):
    """No address is known for {address}. Check the spelling of the option upstream."""


class UpstreamTimeoutError(UpstreamError):
    """{address} did not answer within {seconds} s. Check that it can be reached from here."""


class UpstreamNotTrustedError(UpstreamError):
    """{address} is not trusted: {reason}. Have this system trust its authority, or set the option verify to false."""


class UpstreamItselfError(UpstreamError):
    """{address} leads back to this relay. Set the option upstream to another server."""


class UnknownFormatError(PostError):
    """{output} tells no format to export to. Use --format with one of {known}."""


class UnwritableError(PostError):
    """Cannot write {path}: {reason}. Choose another place."""


class OutputError(PostError):
    """Cannot write standard output: {reason}."""


# -- what the user types


class FilterError(PostError):
    """The filter is not right at character {at}: {reason}."""

    def __init__(self, *, at: int, reason: str, typed: str = "") -> None:
        """``at`` counts from 0; ``typed`` is the whole filter."""
        super().__init__(at=at + 1, reason=reason.rstrip("."))
        self.at, self.typed = at, typed


class EscapeError(PostError):
    """{text} cannot be sent: {reason}."""


# -- templates


class TemplateError(PostError):
    """At character {position}: {reason}."""


# -- messages in a stream


class FrameError(PostError):
    """A message of {length} bytes does not fit behind a prefix that counts to {most}.
    Choose a longer prefix."""


class ShortFrameError(PostError):
    """A message of {length} bytes is too short for its length: it must have at least {least}.
    What stands before the length is a part of the message."""


# -- scripts


class ScriptError(PostError):
    """{problem}."""


class ScriptFailedError(PostError):
    """{text}"""


# -- files and documents


class OutsideFolderError(PostError):
    """{name} is not in the workspace's folder. Put the file there, and name it as seen from there."""


class UnreadableFileError(PostError):
    """The file {name} cannot be read: {reason}."""


class DocumentsError(PostError):
    """The documents in {path} cannot be used: {reason}."""


# -- plugins


class PluginError(PostError):
    """The plugin {path}: {reason}."""


class PluginWaitingError(PluginError):
    """It comes with the plugin {path}, which may not run yet. A plugin is code: read it, then load it
    in the window, or start serve with --trust-plugins."""


class PluginRefusedError(PluginError):
    """It comes with the plugin {path}, which you chose never to load. To be asked again, delete its line
    from {record}, and start Listening Post again."""


class PluginBrokenError(PluginError):
    """The plugin {path} is broken: {reason}. Mend it: it is read again when you save it."""


class PluginEmptyError(PluginError):
    """The plugin {path} offers nothing that answers. Decorate a function or a class with @responder, or define one
    factory, resource or protocol."""


class PluginAmbiguousError(PluginError):
    """The plugin {path} offers {names} for {protocol}. Say with @responder which one answers."""


class PluginNameTakenError(PluginError):
    """The plugin {path} calls a responder {name}, as {other} does. Give it another name."""


class PluginUnsafeError(PluginError):
    """The plugin {path} is not loaded: others than you can change the file. Take that right away: chmod go-w."""


# -- ssh


class ManholeExposedError(PostError):
    """A prompt into the running program is for this machine only: listen on 127.0.0.1 or ::1, not on {host}."""


class ManholeOpenError(PostError):
    """Whoever logs in can run any code, so a password or a file of authorized keys is needed. Set one of both."""


class HostKeyError(PostError):
    """The host key {path} cannot be used: {reason}. Delete it, and another one is made."""


class AuthorizedKeysError(PostError):
    """The authorized keys in {path} cannot be read: {reason}."""


# -- sending


class SendError(PostError):
    """The message was not sent."""


class URLError(SendError):
    """{text} cannot be sent to: {reason}. Write it as tcp://127.0.0.1:9007 or https://localhost:8443/orders."""


class FieldError(SendError):
    """The field {text} cannot be sent: {reason}."""


class SendUsageError(SendError):
    """{reason}."""


class DataUnreadableError(SendError):
    """Cannot read {path}: {reason}. Check the name."""


class TooLargeError(SendError):
    """{what} of {size} bytes cannot be sent: {most} are the most. Send less at once."""


class ConnectError(SendError):
    """Cannot connect to {address}: {reason}."""


class RefusedError(ConnectError):
    """{address} refused: nothing listens there. Start the server or check the port."""


class UnknownPeerError(ConnectError):
    """No address is known for the name {host}. Check its spelling, or that the network is up."""


class NotAnsweredError(ConnectError):
    """{address} does not answer. Check the address, and whether a firewall is in the way."""


class UnreachableError(ConnectError):
    """No way leads to {address}. Check the address, and that the network is up."""


class ResetError(SendError):
    """{address} reset the connection. Its own log may say why."""


class SilentError(SendError):
    """{address} has been silent for too long: the connection was given up. Check that it still runs."""


class LostError(SendError):
    """The connection to {address} was lost: {reason}. Send again."""


class CertificateError(SendError):
    """{address} is not trusted: {reason}. To send all the same, do not verify certificates (--insecure)."""


class CertificateWantedError(SendError):
    """{address} wants a certificate of ours. Name a file with one that it trusts, and its key (--certificate)."""


class NoTLSError(SendError):
    """{address} does not speak TLS: {reason}. Use the scheme without it: tcp, http or ws."""


class TLSError(SendError):
    """There is no TLS with {address}: {reason}."""


class NoHTTPError(SendError):
    """{address} does not speak HTTP: what it answered breaks the rules. Try tcp:// to see what it says."""


class NoAnswerError(SendError):
    """{address} hung up before it answered. Its own log may say why."""


class CutShortError(SendError):
    """{address} hung up in the middle of its answer, after {size} bytes. Its own log may say why."""


class NoWebSocketError(SendError):
    """{address} opened no WebSocket: it {reason}. Check the path."""
