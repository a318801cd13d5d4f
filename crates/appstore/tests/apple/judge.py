"""Says what Apple's own library thinks of signed payloads.

Reads from standard input a JSON object with `root` (base64 of DER),
`environment`, `bundle_id`, `app_id` and `payloads`, a list of pairs: a kind
(`transaction`, `renewal`, `notification`) and a JWS. Writes a JSON list: for
each payload `OK` and what it says, or the name of the error and nothing.
"""

import base64
import json
import sys

from appstoreserverlibrary.models.Environment import Environment
from appstoreserverlibrary.signed_data_verifier import (
    SignedDataVerifier,
    VerificationException,
)

asked = json.load(sys.stdin)
verifier = SignedDataVerifier(
    [base64.b64decode(asked["root"])],
    False,  # No OCSP: nothing here has a network.
    Environment(asked["environment"]),
    asked["bundle_id"],
    asked["app_id"],
)
READ = {
    "transaction": verifier.verify_and_decode_signed_transaction,
    "renewal": verifier.verify_and_decode_renewal_info,
    "notification": verifier.verify_and_decode_notification,
}


def judge(kind, payload):
    try:
        read = READ[kind](payload)
    except VerificationException as refused:
        return [refused.status.name, None]
    if kind == "notification":
        return ["OK", read.rawNotificationType]
    return ["OK", read.originalTransactionId]


json.dump([judge(kind, payload) for kind, payload in asked["payloads"]], sys.stdout)
