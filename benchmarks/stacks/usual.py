"""The stack most would write: wechatpy, FastAPI, scikit-learn, SQLModel, a transaction a message.

Written with care where care is common: redelivery is decided by a unique key, understanding happens
before the transaction, and SQLite runs in WAL mode with BEGIN IMMEDIATE, so that no write is lost
to a stale read. Nothing delivers its outbox.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from sqlmodel import Session, select
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.messages import BaseMessage
from wechatpy.utils import check_signature

from benchmarks.account import Account
from benchmarks.stacks.usual_model import train
from benchmarks.stacks.usual_tables import (
    DEADLINE,
    UNITS,
    Event,
    Message,
    Outbox,
    Resident,
    Ticket,
    connect,
)

ANSWERS = {
    "praise": "谢谢您的肯定,我们会转告。",
    "help": "您好!可以直接说要报修什么、在哪里,也可以问「我报的怎么样了」。",
    "chitchat": "这个我办不了。我能:报修、查进度、问办事。",
}

account = Account.from_environment()
crypto = WeChatCrypto(account.token, account.aes_key, account.appid)
engine = connect()
model = train()
app = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


async def get_body(request: Request) -> bytes:
    return await request.body()


@app.get("/wechat")
def verify(signature: str, timestamp: str, nonce: str, echostr: str) -> Response:
    try:
        check_signature(account.token, signature, timestamp, nonce)
    except InvalidSignatureException as error:
        raise HTTPException(403) from error
    return Response(echostr, media_type="text/plain")


@app.post("/wechat")
def receive(
    body: Annotated[bytes, Depends(get_body)],
    session: Annotated[Session, Depends(get_session)],
    timestamp: str,
    nonce: str,
    msg_signature: str,
) -> Response:
    try:
        xml = crypto.decrypt_message(body, msg_signature, timestamp, nonce)
    except (InvalidSignatureException, InvalidAppIdException) as error:
        raise HTTPException(403) from error
    incoming = parse_message(xml)
    if incoming.type != "text":
        return Response("success")
    intent = str(model.predict([incoming.content])[0])
    text = answer(session, incoming, intent)
    reply = crypto.encrypt_message(create_reply(text, incoming).render(), nonce, timestamp)
    return Response(reply, media_type="application/xml")


def answer(session: Session, incoming: BaseMessage, intent: str) -> str:
    """Stores the message and what follows from it, commits, and says what to reply."""
    key = f"{incoming.source}:{incoming.id}"
    seen = session.exec(select(Message).where(Message.key == key)).first()
    if seen is not None:
        return seen.reply
    now = datetime.now(UTC)
    resident = session.exec(select(Resident).where(Resident.openid == incoming.source)).first()
    if resident is None:
        resident = Resident(openid=incoming.source, created_at=now)
        session.add(resident)
        session.flush()
    ticket = None
    if intent in UNITS:
        ticket = open_ticket(session, resident, intent, incoming.content, now)
        due = f"{ticket.due_at:%m月%d日%H点}"
        reply = f"已登记(编号{ticket.number}),已派给{ticket.lead},{due}前办结。"
    elif intent == "progress":
        reply = progress(session, resident)
    else:
        reply = ANSWERS.get(intent, "已转工作人员。")
    session.add(
        Message(
            key=key,
            resident_id=resident.id,
            text=incoming.content,
            intent=intent,
            ticket_id=ticket.id if ticket else None,
            reply=reply,
            received_at=now,
        )
    )
    session.commit()
    return reply


def open_ticket(
    session: Session, resident: Resident, intent: str, text: str, now: datetime
) -> Ticket:
    unit, staff = UNITS[intent]
    ticket = Ticket(
        resident_id=resident.id,
        intent=intent,
        text=text,
        state="dispatched",
        lead=unit,
        created_at=now,
        due_at=now + DEADLINE,
    )
    session.add(ticket)
    session.flush()
    ticket.number = f"T{now:%Y%m%d}-{ticket.id:04d}"
    session.add(Event(ticket_id=ticket.id, at=now, kind="dispatched", data={"unit": unit}))
    session.add(
        Outbox(
            ticket_id=ticket.id,
            openid=staff,
            text=f"新任务 {ticket.number}:{text}",
            state="pending",
            created_at=now,
        )
    )
    return ticket


def progress(session: Session, resident: Resident) -> str:
    newest = select(Ticket).where(Ticket.resident_id == resident.id).order_by(Ticket.id.desc())
    ticket = session.exec(newest.limit(1)).first()
    if ticket is None:
        return "没有查到您的工单。"
    return f"工单{ticket.number}:{ticket.lead}处理中,{ticket.due_at:%m月%d日%H点}前办结。"


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
