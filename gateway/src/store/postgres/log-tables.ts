/**
 * The tables of the decision log in PostgreSQL, which many writers share: each has a chain of its own, and the register of
 * writers is a chain as well. Whoever writes needs to insert and to read, nothing else. For PostgreSQL 14 and newer.
 */

/** Statements that make them, in order. `record` is the exact text that was hashed; `session`, `turn` and `time` are there to look it up. */
export const logTables: readonly string[] = [
  `create table writers (
    number integer primary key,
    chain text not null unique,
    replica text not null,
    worker integer not null,
    started bigint not null,
    origin text not null,
    hash text not null,
    signature text not null
  )`,
  // Ids are compared by their bytes, so that an index finds what begins with a text in every locale.
  `create table records (
    writer integer not null,
    seq bigint not null,
    hash text not null,
    time bigint not null,
    session text collate "C",
    turn text collate "C",
    record text not null,
    primary key (writer, seq)
  )`,
  // A record is 700 bytes or so, which is not worth the time of compressing it on the way to disk.
  `alter table records alter column record set storage external`,
  `create index records_time on records (time, writer, seq)`,
  `create index records_turn on records (turn, time) where turn is not null`,
  `create index records_session on records (session, time) where session is not null`,
  `create table checkpoints (
    writer integer not null,
    seq bigint not null,
    closed boolean not null,
    hash text not null,
    time bigint not null,
    count bigint not null,
    signature text not null,
    primary key (writer, seq, closed)
  )`,
]
