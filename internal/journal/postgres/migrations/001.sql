-- The journal's entries in one gapless order. A batch's identity is unique by the database's own guarantee; the other
-- kinds of entry have none.
CREATE TABLE journal_entry (
    position  bigint PRIMARY KEY,
    chain     bigint NOT NULL, -- the chain value, see docs/LEDGER-FORMAT.md
    append_id uuid   NOT NULL,
    draw      bigint,
    agency    bigint,
    batch     bigint,
    data      bytea  NOT NULL,
    UNIQUE (draw, agency, batch)
);

-- One row, which every append changes: whoever changes it from the position that he knows comes next in the order.
CREATE TABLE journal_head (
    id       integer PRIMARY KEY CHECK (id = 1),
    position bigint NOT NULL,
    chain    bigint NOT NULL,
    barrier  bigint NOT NULL
);
INSERT INTO journal_head (id, position, chain, barrier) VALUES (1, 0, 0, 0);

-- For people and reports: one row per bet, in stored order by (position, line). See docs/LEDGER-FORMAT.md for the bytes.
-- The header of a batch is 104 bytes. A batch whose bettors were forgotten (flag 1) has no
-- lines: its bytes are not text.
CREATE VIEW bet AS
SELECT e.draw, e.agency, e.batch, l.line, e.position,
       split_part(l.text, ',', 1) AS first_name,
       split_part(l.text, ',', 2) AS last_name,
       split_part(l.text, ',', 3) AS document,
       CAST(split_part(l.text, ',', 4) AS date) AS birthdate,
       CAST(split_part(l.text, ',', 5) AS integer) AS number
FROM journal_entry e
CROSS JOIN LATERAL (SELECT get_byte(e.data, 3) AS flags) h
CROSS JOIN LATERAL regexp_split_to_table(
    convert_from(CASE WHEN h.flags & 1 = 0 THEN substr(e.data, 105) ELSE '' END, 'UTF8'), E'\n'
) WITH ORDINALITY AS l(text, line)
WHERE e.batch IS NOT NULL AND l.text <> '';
