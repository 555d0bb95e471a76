/*
 * The parts of the claim statement that see to limits: of workspaces, and of concurrency keys. They read the CTEs `open` and
 * `candidate`, and make `allowed`: the candidates that may start, in their order.
 *
 * A concurrency key has as many of its candidates as it has free seats: the lock reads its row as it is now, not as it was when
 * the statement began. Which of its jobs stand in line is seen to elsewhere (../keys/settle.ts); here it is made sure of the limit
 * alone. A key that somebody else has locked is passed over: who has it announces its jobs afterwards.
 */

/** A CTE: whether a workspace with a limit, or a job with a concurrency key, is among what the round looks at. */
export const met = `met AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM open WHERE concurrency_limit IS NOT NULL)
      OR EXISTS (SELECT FROM candidate WHERE concurrency_key IS NOT NULL) AS limits
  )`;

/** The candidates in their order, unless there is a limit to see to: then this round starts nothing. */
export const unlimited = {
  /** Workspaces take turns. */
  ofSeveral: `allowed AS MATERIALIZED (
    SELECT candidate.*, NULL::int AS slot, row_number() OVER (PARTITION BY workspace_id ORDER BY dispatch_at, id) AS place
    FROM candidate WHERE NOT (SELECT limits FROM met)
    ORDER BY place, turn
  )`,
  ofOne: `allowed AS MATERIALIZED (
    SELECT candidate.*, NULL::int AS slot FROM candidate WHERE NOT (SELECT limits FROM met) ORDER BY dispatch_at, id
  )`,
};

/** Of each key as many candidates as it has free seats; then of each workspace as many as it has free slots. */
export const limited = `key AS MATERIALIZED (
    SELECT its.*, locked.free FROM (
      SELECT DISTINCT workspace_id, concurrency_key FROM candidate WHERE concurrency_key IS NOT NULL
    ) AS its CROSS JOIN LATERAL (
      SELECT seats - taken AS free FROM concurrency_key
      WHERE concurrency_key.workspace_id = its.workspace_id AND concurrency_key.key = its.concurrency_key AND taken < seats
      FOR UPDATE SKIP LOCKED
    ) AS locked
  ),
  seated AS (
    SELECT ranked.id FROM (
      SELECT candidate.*, row_number() OVER (PARTITION BY workspace_id, concurrency_key ORDER BY dispatch_at, id) AS place
      FROM candidate WHERE concurrency_key IS NOT NULL
    ) AS ranked JOIN key USING (workspace_id, concurrency_key) WHERE ranked.place <= key.free
  ),
  contender AS MATERIALIZED (
    SELECT candidate.*, row_number() OVER (PARTITION BY workspace_id ORDER BY dispatch_at, id) AS place
    FROM candidate WHERE concurrency_key IS NULL OR id IN (SELECT id FROM seated)
  ),
  wish AS (
    SELECT contender.workspace_id, least(count(*), cardinality($4::text[])) AS jobs
    FROM contender WHERE contender.concurrency_limit IS NOT NULL
    GROUP BY contender.workspace_id
  ),
  free AS MATERIALIZED (
    SELECT wish.workspace_id, taken.n, row_number() OVER (PARTITION BY wish.workspace_id ORDER BY taken.n) AS place
    FROM wish CROSS JOIN LATERAL (
      SELECT slot.n FROM slot WHERE slot.workspace_id = wish.workspace_id AND slot.job_id IS NULL AND NOT slot.excess
      ORDER BY slot.n LIMIT wish.jobs FOR UPDATE SKIP LOCKED
    ) AS taken
  ),
  allowed AS MATERIALIZED (
    SELECT contender.*, free.n AS slot FROM contender
    LEFT JOIN wish USING (workspace_id)
    LEFT JOIN free USING (workspace_id, place)
    WHERE wish.workspace_id IS NULL OR free.n IS NOT NULL
    ORDER BY contender.place, contender.turn
  )`;

/** What a limit allows is taken. */
export const units = `,
  taken AS (
    UPDATE concurrency_key SET taken = concurrency_key.taken + its.jobs, unsettled = true FROM (
      SELECT workspace_id, concurrency_key, count(*) AS jobs FROM started
      WHERE concurrency_key IS NOT NULL GROUP BY workspace_id, concurrency_key
    ) AS its
    WHERE concurrency_key.workspace_id = its.workspace_id AND concurrency_key.key = its.concurrency_key
  ),
  occupied AS (
    UPDATE slot SET job_id = started.id FROM started
    WHERE slot.workspace_id = started.workspace_id AND slot.n = started.slot
  )`;
