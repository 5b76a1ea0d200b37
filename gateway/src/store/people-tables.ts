/** The tables of people and directories as Kysely sees them. */

/** A person or workload that an issuer, a directory or an administrator has named. */
export interface PeopleRow {
  /** The principal's id. */
  id: string
  issuer: string | null
  subject: string | null
  kind: string
  name: string | null
  /** JSON array. */
  emails: string
  /** 1 or 0. */
  active: number
  /** JSON array. */
  roles: string
  /** Unix milliseconds, like all moments here. */
  created: number
  seen: number | null
  /** When anything but `seen` was changed; never twice the same in changes that follow each other. */
  changed: number
}

/** Who is in which group, and whose word it is. */
export interface PersonGroupsRow {
  person: string
  /** `claims:ISSUER`, `scim:NAME`, `console`. */
  origin: string
  group_name: string
}

/** A person as a directory knows them. */
export interface DirectoryUsersRow {
  id: string
  source: string
  person: string
  /** The user name in lower case. */
  name_key: string
  external_id: string | null
  /** JSON. */
  attributes: string
  created: number
  changed: number
  version: number
}

export interface DirectoryGroupsRow {
  id: string
  source: string
  name: string
  external_id: string | null
  created: number
  changed: number
  version: number
}

/** What is no longer good, though it has not expired. */
export interface RevocationsRow {
  kind: string
  id: string
  at: number
  /** When nothing that it is about can be valid any more. */
  until: number
}
