"""The life of a message: its states, what can happen to it, and which step leads where.

This is the one state machine. `docs/explanation/states.md` shows it in the same words, and a test holds the two
together. Status only moves forward (R-20): whatever arrives in a final state is recorded and changes nothing.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a message is. The first group is the MMS, the second the fallback SMS, the third final."""

    DISCOVERING = "discovering"  # a device discovery is ahead of it: waiting for what that learns
    PREPARING = "preparing"  # its sound or video is being made into what the carrier takes
    ACCEPTED = "accepted"  # committed, waiting for its turn
    SUBMITTING = "submitting"  # the MM7 body may be leaving
    UNKNOWN = "unknown"  # the body left, no answer came: waiting for a report
    SENT = "sent"  # the carrier took it: waiting for a report

    FALLBACK = "fallback"  # the SMS with the link waits for its turn
    SMS_SUBMITTING = "sms-submitting"  # parts of the SMS may be leaving
    SMS_UNKNOWN = "sms-unknown"  # a part left, no answer came
    SMS_SENT = "sms-sent"  # the SMSC took all parts: waiting for receipts

    DELIVERED = "delivered"  # on the phone
    UNDELIVERED = "undelivered"  # sent, and reported as not delivered
    FAILED = "failed"  # never sent
    UNREPORTED = "unreported"  # sent; the carrier never said how it went

    @property
    def final(self) -> bool:
        """Nothing leads out of here."""
        return self in FINAL


FINAL = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED, State.UNREPORTED})


class Happening(StrEnum):
    """What can happen to a message."""

    DISCOVERY_SENT = "discovery-sent"  # the carrier took the device discovery ahead of it
    DISCOVERED = "discovered"  # the wait for the handset is over, whether it is known now or not
    PREPARE = "prepare"  # there is no version of its sound or video yet that this carrier takes
    PREPARED = "prepared"  # now there is
    SUBMIT = "submit"  # its turn came, the request is about to leave
    TAKEN = "taken"  # the carrier or the SMSC accepted it
    POSTPONED = "postponed"  # not now: temporary failure, throttle, pause, lost lease
    IN_DOUBT = "in-doubt"  # the outcome is unknown
    FELL_BACK = "fell-back"  # the phone can't have the MMS: an SMS with a link instead
    GAVE_UP = "gave-up"  # it will not be sent
    UNDER_WAY = "under-way"  # a report that is not final: Forwarded, Deferred
    REPORTED_DELIVERED = "reported-delivered"
    REPORTED_UNDELIVERED = "reported-undelivered"
    NEVER_REPORTED = "never-reported"  # the time to wait for a report is over
    READ = "read"  # its recipient opened it, or deleted it unread: only recorded
    OVERTAKEN = "overtaken"  # a report about the MMS when the SMS is already on its way: only recorded


_S, _H = State, Happening

#: (state, happening) → next state. A pair that is not here is a recorded no-op.
TRANSITIONS: dict[tuple[State, Happening], State] = {
    (_S.DISCOVERING, _H.DISCOVERY_SENT): _S.DISCOVERING,
    (_S.DISCOVERING, _H.DISCOVERED): _S.ACCEPTED,
    (_S.PREPARING, _H.PREPARED): _S.ACCEPTED,
    (_S.PREPARING, _H.POSTPONED): _S.PREPARING,
    (_S.PREPARING, _H.GAVE_UP): _S.FAILED,
    (_S.PREPARING, _H.REPORTED_DELIVERED): _S.DELIVERED,
    (_S.ACCEPTED, _H.PREPARE): _S.PREPARING,
    (_S.ACCEPTED, _H.SUBMIT): _S.SUBMITTING,
    (_S.ACCEPTED, _H.POSTPONED): _S.ACCEPTED,
    (_S.ACCEPTED, _H.FELL_BACK): _S.FALLBACK,
    (_S.ACCEPTED, _H.GAVE_UP): _S.FAILED,
    # a report for an earlier attempt whose outcome was unknown
    (_S.ACCEPTED, _H.REPORTED_DELIVERED): _S.DELIVERED,
    (_S.SUBMITTING, _H.TAKEN): _S.SENT,
    (_S.SUBMITTING, _H.POSTPONED): _S.ACCEPTED,
    (_S.SUBMITTING, _H.IN_DOUBT): _S.UNKNOWN,
    (_S.SUBMITTING, _H.FELL_BACK): _S.FALLBACK,
    (_S.SUBMITTING, _H.GAVE_UP): _S.FAILED,
    # the answer came after all, later than anybody waited for it
    (_S.UNKNOWN, _H.TAKEN): _S.SENT,
    (_S.UNKNOWN, _H.UNDER_WAY): _S.SENT,
    (_S.UNKNOWN, _H.REPORTED_DELIVERED): _S.DELIVERED,
    (_S.UNKNOWN, _H.REPORTED_UNDELIVERED): _S.UNDELIVERED,
    # what the profile's on_unknown says: resend, fallback, fail
    (_S.UNKNOWN, _H.POSTPONED): _S.ACCEPTED,
    (_S.UNKNOWN, _H.FELL_BACK): _S.FALLBACK,
    (_S.UNKNOWN, _H.GAVE_UP): _S.FAILED,
    (_S.SENT, _H.UNDER_WAY): _S.SENT,
    (_S.SENT, _H.REPORTED_DELIVERED): _S.DELIVERED,
    (_S.SENT, _H.REPORTED_UNDELIVERED): _S.UNDELIVERED,
    (_S.SENT, _H.FELL_BACK): _S.FALLBACK,
    (_S.SENT, _H.NEVER_REPORTED): _S.UNREPORTED,
    (_S.FALLBACK, _H.SUBMIT): _S.SMS_SUBMITTING,
    (_S.FALLBACK, _H.POSTPONED): _S.FALLBACK,
    (_S.FALLBACK, _H.GAVE_UP): _S.FAILED,
    # receipts for parts that had left before the message went back to the queue
    (_S.FALLBACK, _H.REPORTED_DELIVERED): _S.DELIVERED,
    (_S.FALLBACK, _H.REPORTED_UNDELIVERED): _S.UNDELIVERED,
    (_S.SMS_SUBMITTING, _H.TAKEN): _S.SMS_SENT,
    (_S.SMS_SUBMITTING, _H.POSTPONED): _S.FALLBACK,
    (_S.SMS_SUBMITTING, _H.IN_DOUBT): _S.SMS_UNKNOWN,
    (_S.SMS_SUBMITTING, _H.GAVE_UP): _S.FAILED,
    (_S.SMS_UNKNOWN, _H.TAKEN): _S.SMS_SENT,
    (_S.SMS_UNKNOWN, _H.UNDER_WAY): _S.SMS_UNKNOWN,
    (_S.SMS_UNKNOWN, _H.REPORTED_DELIVERED): _S.DELIVERED,
    (_S.SMS_UNKNOWN, _H.REPORTED_UNDELIVERED): _S.UNDELIVERED,
    # what the profile's on_unknown says: resend, fail
    (_S.SMS_UNKNOWN, _H.POSTPONED): _S.FALLBACK,
    (_S.SMS_UNKNOWN, _H.GAVE_UP): _S.FAILED,
    (_S.SMS_SENT, _H.UNDER_WAY): _S.SMS_SENT,
    (_S.SMS_SENT, _H.REPORTED_DELIVERED): _S.DELIVERED,
    (_S.SMS_SENT, _H.REPORTED_UNDELIVERED): _S.UNDELIVERED,
    (_S.SMS_SENT, _H.NEVER_REPORTED): _S.UNREPORTED,
}

#: States in which a message waits for its turn to be sent.
WAITING = frozenset({State.ACCEPTED, State.FALLBACK})
#: States in which a request may be under way; a lease that expires here leaves the outcome in doubt.
IN_FLIGHT = frozenset({State.SUBMITTING, State.SMS_SUBMITTING})
#: States that end by themselves when no report comes.
TIMED = frozenset({State.UNKNOWN, State.SENT, State.SMS_UNKNOWN, State.SMS_SENT})


def next_state(state: State, happening: Happening) -> State | None:
    """Where `happening` leads from `state`; None if it changes nothing and is only to be recorded."""
    return TRANSITIONS.get((state, happening))
