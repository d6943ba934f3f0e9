"""Staff and their WeChat: a one-time code from the office, sent once as «绑定 123456»."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlmodel import col

from bot.errors import NotAllowed, NotFound
from bot.models import BindAttempt, Staff
from bot.services.site import raise_version
from bot.work import Work

CODE_VALID = timedelta(hours=24)
# A hundred accounts guessing all day have one chance in 80 of finding a code that is out.
MAX_FAILURES = 5
FAILURES_COUNT_FOR = timedelta(hours=1)


def issue_code(work: Work, name: str) -> str:
    """Six digits that bind one WeChat account to ``name`` within a day; an older code is void."""
    people = work.find(Staff, col(Staff.name) == name, col(Staff.active).is_(True), lock=True)
    if not people:
        raise NotFound(f"no active staff member {name}", told=f"没有「{name}」这位工作人员")
    code = _unused_code(work)
    people[0].code = work.vault.fingerprint(code)
    people[0].code_expires_at = work.now + CODE_VALID
    return code


def bind(work: Work, openid: str, code: str) -> Staff | None:
    """Bind ``openid`` to the holder of ``code``, which is used up; None when the code is no good.

    Raises NotAllowed after too many wrong codes of one openid within an hour, right code or not.
    """
    attempt = _attempt(work, openid)
    person = _holder(work, code)
    if person is None:
        attempt.failures += 1
        return None
    attempt.failures = 0
    _release(work, openid, person)
    person.openid = openid
    person.code, person.code_expires_at = "", None
    work.flush()
    raise_version(work.connection)
    return person


def _unused_code(work: Work) -> str:
    while True:
        code = f"{secrets.randbelow(10**6):06d}"
        if not work.find(Staff, col(Staff.code) == work.vault.fingerprint(code), limit=1):
            return code


def _attempt(work: Work, openid: str) -> BindAttempt:
    """The count of this hour, unless it is used up."""
    found = work.find(BindAttempt, col(BindAttempt.openid) == openid, lock=True)
    if not found:
        return work.add(BindAttempt, openid=openid, failures=0, since=work.now)
    attempt = found[0]
    if work.now - attempt.since >= FAILURES_COUNT_FOR:
        attempt.failures, attempt.since = 0, work.now
    if attempt.failures >= MAX_FAILURES:
        raise NotAllowed("too_many_codes", "验证码输错次数太多，请一小时后再试，或联系管理员")
    return attempt


def _holder(work: Work, code: str) -> Staff | None:
    """Found by its keyed fingerprint, so that no comparison tells how near a guess was."""
    mark = work.vault.fingerprint(code.strip())
    if not mark:
        return None
    found = work.find(Staff, col(Staff.code) == mark, col(Staff.active).is_(True), lock=True)
    if not found or found[0].code_expires_at is None or found[0].code_expires_at <= work.now:
        return None
    return found[0]


def _release(work: Work, openid: str, person: Staff) -> None:
    """An account speaks for one person: whoever held it lets go, written before the new holder."""
    for other in work.find(Staff, col(Staff.openid) == openid):
        if other.id != person.id:
            other.openid = None
    work.flush()
