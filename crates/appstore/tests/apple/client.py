"""Asks an App Store everything that the adapter asks, by Apple's own client.

Reads from standard input a JSON object with `url`, `root` (base64 of DER),
`private_key`, `key_id`, `issuer_id` and `bundle_id`. The store has sold two
purchases to one customer: 1, a subscription, and 2, which was refunded; a page
holds one of them. Writes what it was told as a JSON object.
"""

import base64
import json
import sys

from appstoreserverlibrary.api_client import (
    APIException,
    AppStoreServerAPIClient,
    GetTransactionHistoryVersion,
)
from appstoreserverlibrary.models.Environment import Environment
from appstoreserverlibrary.models.ExtendReasonCode import ExtendReasonCode
from appstoreserverlibrary.models.ExtendRenewalDateRequest import (
    ExtendRenewalDateRequest,
)
from appstoreserverlibrary.models.TransactionHistoryRequest import (
    TransactionHistoryRequest,
)
from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier

given = json.load(sys.stdin)
client = AppStoreServerAPIClient(
    given["private_key"].encode(),
    given["key_id"],
    given["issuer_id"],
    given["bundle_id"],
    Environment.SANDBOX,
)
client._base_url = given["url"]
verifier = SignedDataVerifier(
    [base64.b64decode(given["root"])], False, Environment.SANDBOX, given["bundle_id"]
)


def read(signed):
    return verifier.verify_and_decode_signed_transaction(signed).transactionId


def pages(ask):
    """The ids on each page, to the last page."""
    told, revision = [], None
    while True:
        page = ask(revision)
        told.append([read(signed) for signed in page.signedTransactions])
        revision = page.revision
        if not page.hasMore:
            return told


def history(revision):
    return client.get_transaction_history(
        "1", revision, TransactionHistoryRequest(), GetTransactionHistoryVersion.V2
    )


def refusal(ask):
    """The status and Apple's name of the error."""
    try:
        ask()
    except APIException as refused:
        named = refused.api_error
        return [refused.http_status_code, named.name if named else None]
    return None


def extend(days, name):
    request = ExtendRenewalDateRequest(
        extendByDays=days,
        extendReasonCode=ExtendReasonCode.CUSTOMER_SATISFACTION,
        requestIdentifier=name,
    )
    return client.extend_subscription_renewal_date("1", request)


statuses = client.get_all_subscription_statuses("1")
item = statuses.data[0].lastTransactions[0]
told = {
    "transaction": read(client.get_transaction_info("1").signedTransactionInfo),
    "history": pages(history),
    "refunds": pages(lambda revision: client.get_refund_history("1", revision)),
    "status": [
        item.originalTransactionId,
        item.status.name,
        read(item.signedTransactionInfo),
        verifier.verify_and_decode_renewal_info(item.signedRenewalInfo).productId,
    ],
    "extension": [
        (first := extend(7, "r-1")).success,
        extend(7, "r-1").effectiveDate == first.effectiveDate,
    ],
    "refusals": [
        refusal(lambda: client.get_transaction_info("404")),
        refusal(lambda: client.get_transaction_info("letters")),
        refusal(lambda: history("not-apples")),
        refusal(lambda: extend(91, "r-2")),
        refusal(lambda: extend(1, "")),
    ],
}
client._bundle_id = "com.example.other"
told["refusals"].append(refusal(lambda: client.get_transaction_info("1")))
json.dump(told, sys.stdout)
