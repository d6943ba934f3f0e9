"""The project's own errors.

TongxinError                  something we can explain; ``told`` is what a person is shown
├── ConfigurationError        a setting or file is wrong: said before the server starts
│   └── SiteError             the site file, with the line
├── BadRequest                a request to the webhook we refuse; carries the HTTP status
├── Refused                   a rule of the work says no; carries a stable code
│   ├── NotAllowed            no such edge, or not for this actor            (HTTP 409)
│   └── Missing               a field that a guard needs is not there         (HTTP 422)
├── NotFound                  no such ticket, unit, staff member              (HTTP 404)
└── PlatformError             the WeChat API answered with an errcode, or did not answer
"""

from __future__ import annotations


class TongxinError(Exception):
    """``str()`` is for engineers and never holds secrets or personal data; ``told`` is for people."""

    told = "系统有点忙，您的话已经收到，工作人员会看。"

    def __init__(self, message: str = "", *, told: str = "") -> None:
        super().__init__(message or told or self.told)
        if told:
            self.told = told


class ConfigurationError(TongxinError):
    pass


class SiteError(ConfigurationError):
    pass


class BadRequest(TongxinError):
    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Refused(TongxinError):
    def __init__(self, code: str, told: str) -> None:
        super().__init__(f"{code}: {told}", told=told)
        self.code = code


class NotAllowed(Refused):
    pass


class Missing(Refused):
    """``code`` names the field that is missing."""


class NotFound(TongxinError):
    pass


class PlatformError(TongxinError):
    """``errcode`` as the platform's; -2 where the network failed before an answer."""

    def __init__(self, errcode: int, message: str = "", rid: str = "") -> None:
        super().__init__(f"errcode {errcode} {message} rid={rid}".strip())
        self.errcode = errcode
        self.rid = rid
