"""The bare echo on wechatpy and FastAPI, as wechatpy's documentation shows it; stores nothing."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import check_signature

from benchmarks.account import Account

account = Account.from_environment()
crypto = WeChatCrypto(account.token, account.aes_key, account.appid)
app = FastAPI()


@app.get("/wechat")
async def verify(signature: str, timestamp: str, nonce: str, echostr: str) -> Response:
    try:
        check_signature(account.token, signature, timestamp, nonce)
    except InvalidSignatureException as error:
        raise HTTPException(403) from error
    return Response(echostr, media_type="text/plain")


@app.post("/wechat")
async def receive(request: Request, timestamp: str, nonce: str, msg_signature: str) -> Response:
    body = await request.body()
    try:
        xml = crypto.decrypt_message(body, msg_signature, timestamp, nonce)
    except (InvalidSignatureException, InvalidAppIdException) as error:
        raise HTTPException(403) from error
    message = parse_message(xml)
    reply = create_reply(message.content if message.type == "text" else "", message)
    encrypted = crypto.encrypt_message(reply.render(), nonce, timestamp)
    return Response(encrypted, media_type="application/xml")


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
