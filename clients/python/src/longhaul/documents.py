"""What is asked of the server. Mutations select of a job what every caller may read, so that a key without READ submits, too."""

_SUMMARY = "id uuid type status version creditsCharged creditsRefunded"

JOB_FIELDS = (
    "id uuid type status version progress { step message percentage } output error { code message } tags priority maxAttempts"
    " creditsCharged creditsRefunded cancelReason clientReference downloadUrl"
    " artifacts { id name filename mediaType bytes sha256 url expiresAt }"
    " runAt nextAttemptAt createdAt startedAt finishedAt updatedAt"
)

_FAILED = "... on UserError { code message } ... on ValidationError { issues { path message } }"
_CREATING = (
    f"{_FAILED} ... on InsufficientCreditsError {{ required available }} ... on QueueFullError {{ limit }}"
    f" ... on IdempotencyConflictError {{ job {{ {_SUMMARY} }} }}"
)


def _mutation(name: str, payload: str, failures: str = _FAILED) -> str:
    kind = name[0].upper() + name[1:]
    return f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ ... on {kind}Payload {{ {payload} }} {failures} }} }}"


CREATE_JOB = _mutation("createJob", "job { id }", _CREATING)
CREATE_JOBS = _mutation("createJobs", "jobs { id }", _CREATING)
CANCEL_JOB = _mutation("cancelJob", "job { id }", f"{_FAILED} ... on AlreadyFinishedError {{ job {{ {_SUMMARY} }} }}")
RETRY_JOB = _mutation("retryJob", "job { id }", _CREATING)
CREATE_UPLOAD = _mutation("createUpload", "uploadUrl upload { id }", f"{_FAILED} ... on QuotaExceededError {{ limitBytes }}")

JOB = f"query ($id: ID!) {{ job(id: $id) {{ {JOB_FIELDS} }} }}"
JOB_PROGRESS = (
    f"subscription ($id: ID!, $afterVersion: Int) {{ jobProgress(id: $id, afterVersion: $afterVersion) {{ {JOB_FIELDS} }} }}"
)
JOB_LOGS = (
    "subscription ($id: ID!, $afterSequence: Int, $level: LogLevel) {"
    " jobLogs(id: $id, afterSequence: $afterSequence, level: $level) { sequence attempt at level message fields } }"
)

CLAIM = _mutation(
    "claimJobs",
    "leases { token attempt seconds checkpoint files { reference url filename mediaType bytes sha256 } job { id type input } }",
)
REPORT = _mutation("reportProgress", "expiresAt")
APPEND_LOGS = _mutation("appendLogs", "sequence")
COMPLETE = _mutation("completeJob", "job { id }")
FAIL = _mutation("failJob", "job { id }")
RELEASE = _mutation("releaseJob", "job { id }")
LEASE_LOST = "subscription ($workerId: String!) { leaseLost(workerId: $workerId) { token reason } }"
