"""Handler of aiosmtpd: keeps each mail in a file, byte by byte."""

import os


class Recorder:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    @classmethod
    def from_cli(cls, parser, folder):
        return cls(folder)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such user"
        if address.startswith("busy@"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(self, server, session, envelope):
        mail = envelope.original_content
        if envelope.rcpt_tos[-1].startswith("quoted@"):
            return "554 5.7.1 " + mail.decode("utf-8", "replace")[-400:].replace("\r\n", " ")
        self.count += 1
        name = os.path.join(self.folder, f"{self.count:06}")
        head = "\r\n".join([envelope.mail_from, *envelope.rcpt_tos, "", ""])
        with open(name + ".part", "wb") as file:
            file.write(head.encode() + mail)
        os.rename(name + ".part", name + ".mail")
        return "250 2.0.0 taken"
