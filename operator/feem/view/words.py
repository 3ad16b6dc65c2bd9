"""What the reasons of gates and of decisions that do not count mean, one sentence a word."""

from __future__ import annotations

_PRACTICE = {
    "Missing": "{what} is not named, or was never passed",
    "NotDrilled": "nobody has ever practised {what}",
    "DayWrong": "the day that is written for {what} is none, or lies ahead",
    "TooOld": "{what} was practised or passed longer ago than the profile allows",
}
_PRACTISED = {
    "Runbook": "the service's runbook",
    "RollbackPlan": "the service's rollback plan",
    "Drill": "the experiment that the profile asks for",
}

MEANINGS: dict[str, str] = {
    # approvals
    "ApprovalsMissing": "fewer people than the profile asks for have approved, role by role",
    "ApprovedSomethingElse": "what was approved was edited afterwards: change, plan, objectives, annotations or profile",
    "OwnApproval": "whoever asked for a change or wrote it does not approve it",
    "ApprovalExpired": "the approval is older than the profile allows, or its own end has passed",
    "ApprovedBeforeRequest": "the approval is older than the release: it was about an earlier one of the same name",
    "CountsInAnotherRole": "one person counts once in a release, in one role",
    "DecidedUnguarded": "it was decided while FEEM's admission policies were not in force: nobody knows by whom",
    "RoleLost": "who decided does not hold the role any more",
    "Rejected": "somebody of a role that is asked for said no, and has not approved since",
    "RejectedLater": "who approved has rejected the release since",
    "RequesterUnknown": "nobody knows who asked for the change, so it may be one of those who approved it",
    "RoleNotAsked": "no gate of the release asks for an approval in that role",
    # what surrounds the gates
    "ProfileMissing": "the profile that the change was requested under is gone",
    "ProfileChanged": "the rules are not those that the change was requested under",
    "ProfileReplaced": "the service was put under another profile after the change was requested",
    "PolicyWeakened": "an admission policy of FEEM is missing or weaker than shipped: no decision can be believed",
    "ClockSkewed": "the operator's clock differs from the API server's: no window and no expiry can be believed",
    "AuthorMissing": "an account that works for other people asked for the change, and does not say for whom",
    "BreakGlass": "the gate would hold, but an emergency skips it for a while",
    "UnknownKind": "the profile has a gate that this operator is too old for",
    # time
    "ChangeFreeze": "a change freeze is open: nothing goes forward, only back",
    "OutsideWindow": "changes go forward in their change windows only, and none is open",
    "NoWindow": "changes go forward in their change windows only, and there is none for the service",
    "LeadTime": "the working days between request and start are not over",
    # debts
    "ReviewOwed": "an emergency of the service was not reviewed yet: until then its next release is held",
    "SignOffOverdue": "an earlier release of the service was not signed off in time: until then its next release is held",
    "SignOffDue": "the release has ended, and somebody has to sign it off",
    "SignedOff": "what was owed after the release is done",
    "OwnSignOff": "who took part in a release does not sign it off",
    "NothingOwed": "there is nothing to sign off",
    # what a change brings along
    "TicketMissing": "the change names no ticket",
    "TicketMalformed": "what the change names does not look like a ticket",
    "TicketUnchecked": "the ticket was not looked up yet",
    "TicketSystemUnavailable": "the ticket system could not be asked",
    "TicketNotFound": "the ticket system knows no such ticket",
    "TicketNotApproved": "the ticket is in a state in which it allows no change",
    "RequirementsMissing": "the change names fewer requirements than the profile asks for",
    "RequirementsMalformed": "what the change names does not look like a requirement",
    "EvidenceMissing": "a document that the profile asks for is not named by its digest",
    "EvidenceMalformed": "what is named is not a digest: sha256: and 64 hex digits",
    "ImageNotByDigest": "an image is named by a tag, which can be moved",
    "RegistryNotAllowed": "an image comes from a registry that the profile does not list",
    "ImageMalformed": "an image's name cannot be read",
    "NoImages": "the release names no images",
    "BadPattern": "the profile's pattern is no regular expression: nobody can satisfy it",
    # the plan and the service
    "ExposureTooLarge": "the plan meets more users at once, or more quickly, than the profile allows",
    "TooFewObjectives": "fewer objectives judge the canary than the profile asks for",
    "TooFewBusinessObjectives": "fewer Business objectives judge the canary than the profile asks for",
    "OwnerMissing": "nobody is named as the service's owner",
    "ClassificationMissing": "the class of the service's data is not named",
    "ClassificationNotAllowed": "the profile is not made for data of that class",
    # decisions
    "ReleaseNotFound": "there is no such release",
    "ReleaseEnded": "the release had ended before it was decided",
    "StillRunning": "the release has not ended yet",
    "NotForeseen": "no gate of the release asks for it, or may be skipped",
    "ExpiryMissing": "an emergency needs an end in the future",
    "ExpiryTooFar": "an emergency may not count that long",
    # windows and profiles that cannot be used
    "UnknownTimeZone": "there is no such time zone",
    "UnknownCountry": "nobody knows the public holidays of that country",
    "BadCron": "the times cannot be read",
    "BadRange": "the range is not between two dates",
    "NeverOccurs": "the window never opens",
    "NoTime": "the window says no time",
    # mode Observe
    "WouldHold": "mode is Observe: in Enforce gates would have held it",
    "WouldPass": "mode is Observe: no gate would have held it",
    "GatesHold": "gates hold what comes next",
    **{
        f"{name}{word}": text.format(what=what) for name, what in _PRACTISED.items() for word, text in _PRACTICE.items()
    },
}


def meaning(word: str) -> str | None:
    """Return what a reason means, whatever the case of its letters; None for what is no reason of a gate."""
    known = {name.lower(): f"{name}: {text}." for name, text in MEANINGS.items()}
    return known.get(word.lower())
