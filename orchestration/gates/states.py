"""The states of a delivery and their German titles; which delivery is in which is directory.py's."""

ACCEPTED, SUPERSEDED, WITHDRAWN, REJECTED = "accepted", "superseded", "withdrawn", "rejected"
STATE_TITLES = {
    ACCEPTED: "in Kraft",
    SUPERSEDED: "abgelöst",
    WITHDRAWN: "zurückgenommen",
    REJECTED: "abgewiesen",
}
