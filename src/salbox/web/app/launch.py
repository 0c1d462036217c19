"""The server of `salbox app`: Streamlit, told to stay on this machine and to report nothing."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import MissingExtraError, UsageError
from ...system.offline import stay_offline
from .settings import Settings, set_current
from .uploads import MAX_VIDEO_MEGABYTES

LOOPBACK = "127.0.0.1"
PORTS = range(8501, 8521)  # tried one after the other where none is asked for

_SCRIPT = Path(__file__).with_name("main.py")
_LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")

# Telemetry is off before anything imports Streamlit, whatever else may start it in this process.
_NO_TELEMETRY = {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}

# Colours of controls, links and text that can be read on both grounds; captions have the text's at an opacity of .6.
_THEME = {
    "theme_light_textColor": "#0e1117",
    "theme_light_primaryColor": "#1a56b0",
    "theme_light_linkColor": "#1a56b0",
    "theme_dark_primaryColor": "#8ab4f8",
    "theme_dark_linkColor": "#8ab4f8",
}


def run_app(
    settings: Settings,
    announce: Callable[[str], None],
    *,
    host: str = LOOPBACK,
    port: int | None = None,
    opens_browser: bool = True,
) -> None:
    """Serve the pages until the process is interrupted.

    Parameters
    ----------
    settings : Settings
    announce : function of a text
        Is told what one opens in a browser, once nothing stands in the way.
    host : str
        The address to listen at: others than this machine reach the app only if it is not the default.
    port : int, optional
        By default the first of `PORTS` that is free.
    opens_browser : bool

    Raises
    ------
    MissingExtraError
        If Streamlit is not installed.
    UsageError
        If the port is taken or the address is not this machine's.
    """
    chosen = free_port(host, port)
    if find_spec("streamlit") is None:
        raise MissingExtraError("salbox app", "app")
    stay_offline()
    os.environ.update(_NO_TELEMETRY)
    set_current(settings)
    from streamlit.web import bootstrap

    from .readiness import get_ready

    options = server_options(host, chosen, opens_browser=opens_browser)
    bootstrap.load_config_options(flag_options=options)
    get_ready()
    announce(address(host, chosen))
    bootstrap.run(str(_SCRIPT), False, [], options)


def server_options(host: str, port: int, *, opens_browser: bool) -> dict[str, Any]:
    """Return Streamlit's options, as its own command line would name them."""
    options: dict[str, Any] = {
        "browser_gatherUsageStats": False,
        "browser_serverPort": port,
        "client_showErrorDetails": "none",  # an internal error shows no paths of this machine
        "client_showErrorLinks": False,
        "client_toolbarMode": "minimal",
        "logger_hideWelcomeMessage": True,
        "runner_magicEnabled": False,
        "server_address": host,
        "server_disconnectedSessionTTL": 30,  # seconds until the pictures of a closed page are let go
        "server_enableXsrfProtection": True,
        "server_fileWatcherType": "none",
        "server_headless": not opens_browser,
        "server_maxUploadSize": MAX_VIDEO_MEGABYTES,
        "server_port": port,
        "server_showEmailPrompt": False,
        **_THEME,
    }
    if is_loopback(host):
        # A page of the web whose name is made to lead here is not answered.
        options |= {"server_allowedHosts": list(_LOCAL_NAMES), "browser_serverAddress": "localhost"}
    return options


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    return host in _LOCAL_NAMES or host.startswith("127.")


def address(host: str, port: int) -> str:
    """Return what one opens in a browser."""
    shown = "localhost" if is_loopback(host) else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def free_port(host: str, port: int | None, tried: Sequence[int] = PORTS) -> int:
    """Return a port that can be listened at: the one asked for, or the first that is free.

    Raises
    ------
    UsageError
        If it is taken, all are, or the address is none of this machine's.
    """
    for candidate in tried if port is None else (port,):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except PermissionError:
                raise UsageError(f"port {candidate}: the system does not allow it; give one from 1024 on") from None
            except OSError as error:
                if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                    raise UsageError(f"host '{host}': not an address of this machine ({error.strerror})") from None
                continue
            return candidate
    taken = f"port {port} is taken" if port is not None else f"ports {tried[0]} to {tried[-1]} are taken"
    raise UsageError(f"{taken}: give another with --port")
