#!/usr/bin/env python3
"""Takes mail by SMTP and keeps each in a file, for deploy/cluster.sh: mail-sink.py PORT FOLDER"""

import asyncio
import itertools
import pathlib
import sys

ANSWERS = {"EHLO": "250 mail-sink", "HELO": "250 mail-sink", "QUIT": "221 bye", "DATA": "354 go on"}


async def take_mail(reader, writer, folder, numbers):
    async def answer(line):
        writer.write(f"{line}\r\n".encode())
        await writer.drain()

    await answer("220 mail-sink")
    while line := await reader.readline():
        verb = line.split()[0].upper().decode(errors="replace") if line.split() else ""
        await answer(ANSWERS.get(verb, "250 ok"))
        if verb == "QUIT":
            break
        if verb == "DATA":
            mail = await reader.readuntil(b"\r\n.\r\n")
            (folder / f"{next(numbers)}.eml").write_bytes(mail[:-3])
            await answer("250 kept")
    writer.close()


async def main(port, folder):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = itertools.count(len(list(folder.iterdir())) + 1)

    async def connected(reader, writer):
        await take_mail(reader, writer, folder, numbers)

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=64 * 1024 * 1024)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), pathlib.Path(sys.argv[2])))
