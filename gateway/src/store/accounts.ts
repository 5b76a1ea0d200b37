/**
 * Local accounts: what people sign in with here, and the links that set it. Knows no password and no code, only what is left of
 * them; who the people are stands in the table of people.
 */
import type { Kysely, Selectable, Transaction } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import type { AccountsRow } from './account-tables.ts'
import type { NewPerson } from './people.ts'
import type { StoreTables } from './tables.ts'

/** What is set when somebody sets what they sign in with. */
export interface AccountSecrets {
  /** Argon2id, in the PHC form; null for an account that nobody can sign in with. */
  readonly password: string | null
  /** Sealed; null for no codes. */
  readonly totp: string | null
  /** The time step of the code that was shown; 0 for none. */
  readonly totpStep: number
  /** Keyed hashes. */
  readonly recovery: readonly string[]
}

export interface StoredAccount extends AccountSecrets {
  /** Id of the person. */
  readonly person: string
  /** Unix milliseconds. */
  readonly created: number
  readonly changed: number
}

export interface AccountLink {
  /** Keyed hash of the text in the link. */
  readonly hash: string
  /** Undefined: it makes the first administrator. */
  readonly person: string | undefined
  /** Unix milliseconds. */
  readonly expires: number
}

export interface AccountTable {
  /** Adds an account that nobody can sign in with yet; false when there is one of this name, in whatever case. */
  add(person: string, now: number): Promise<boolean>
  /**
   * Takes an account over from another store of the same installation. What was set later counts; of what was set at the same time,
   * codes that either has used are used. `kept`: what is here stays as it is, also where the name is another person's.
   */
  adopt(account: StoredAccount): Promise<'new' | 'changed' | 'kept'>
  /** By the id of the person, in whatever case. */
  find(name: string): Promise<StoredAccount | undefined>
  list(): Promise<StoredAccount[]>
  /** False when there is no such account. */
  set(person: string, secrets: AccountSecrets, now: number): Promise<boolean>
  /** Notes that the code of a time step was used. False when it, or a later one, was before. */
  useStep(person: string, step: number): Promise<boolean>
  /** Uses a recovery code up. False when there is none with this hash. */
  useRecovery(person: string, hash: string): Promise<boolean>
  /** Removes an account and its links; the person stays. False when there is none. */
  remove(person: string): Promise<boolean>
  addLink(link: AccountLink, now: number): Promise<void>
  findLink(hash: string, now: number): Promise<AccountLink | undefined>
  /** Uses the links of an account up and sets what it is signed in with. False when this one is not there any more. */
  useLink(link: AccountLink, secrets: AccountSecrets, now: number): Promise<boolean>
  /**
   * Uses up every link that makes the first administrator, and makes them. False when this one is not there any more, or there
   * is an administrator. Rejects with `request.invalid` when the name is taken.
   */
  useFirstLink(link: AccountLink, person: NewPerson, secrets: AccountSecrets, now: number): Promise<boolean>
  /** Whether there is somebody with the role `admin` who may come in. */
  hasAdmin(): Promise<boolean>
}

/** The table of local accounts. Every call rejects with `store.failed` when the database cannot be used. */
export function accountTable(database: Kysely<StoreTables>): AccountTable {
  const within = <R>(work: (transaction: Transaction<StoreTables>) => Promise<R>): Promise<R> => database.transaction().execute(work)
  return {
    add: (person, now) => insertAccount(database, person, now),
    adopt: (account) => within((transaction) => adoptAccount(transaction, account)),
    async find(name) {
      const row = await database.selectFrom('accounts').selectAll().where('name_key', '=', name.toLowerCase()).executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    async list() {
      return (await database.selectFrom('accounts').selectAll().orderBy('name_key').execute()).map(fromRow)
    },
    set: (person, secrets, now) => setSecrets(database, person, secrets, now),
    async useStep(person, step) {
      const later = database.updateTable('accounts').set({ totp_step: step }).where('person', '=', person).where('totp_step', '<', step)
      return (await later.executeTakeFirst()).numUpdatedRows > 0n
    },
    async useRecovery(person, hash) {
      const row = await database.selectFrom('accounts').select('recovery').where('person', '=', person).executeTakeFirst()
      if (row === undefined) return false
      const left = readHashes(person, row.recovery)
      if (!left.includes(hash)) return false
      // Of two that use the same code, one finds the list as it was.
      const unchanged = database
        .updateTable('accounts')
        .set({ recovery: JSON.stringify(left.filter((one) => one !== hash)) })
        .where('person', '=', person)
        .where('recovery', '=', row.recovery)
      return (await unchanged.executeTakeFirst()).numUpdatedRows > 0n
    },
    remove(person) {
      return within(async (transaction) => {
        await transaction.deleteFrom('account_links').where('person', '=', person).execute()
        return (await transaction.deleteFrom('accounts').where('person', '=', person).executeTakeFirst()).numDeletedRows > 0n
      })
    },
    async addLink({ hash, person = '', expires }, now) {
      await database.deleteFrom('account_links').where('expires', '<=', now).execute()
      await database.insertInto('account_links').values({ hash, person, expires }).execute()
    },
    async findLink(hash, now) {
      const row = await database.selectFrom('account_links').selectAll().where('hash', '=', hash).executeTakeFirst()
      if (row === undefined || Number(row.expires) <= now) return undefined
      return { hash, person: row.person === '' ? undefined : row.person, expires: Number(row.expires) }
    },
    useLink({ hash, person = '' }, secrets, now) {
      return within(async (transaction) => {
        if (person === '' || !(await takeLinks(transaction, hash, person, now))) return false
        return setSecrets(transaction, person, secrets, now)
      })
    },
    useFirstLink({ hash }, { emails, roles, active, ...person }, secrets, now) {
      return within(async (transaction) => {
        if (!(await takeLinks(transaction, hash, '', now)) || (await hasAdmin(transaction))) return false
        const last = await transaction
          .selectFrom('people')
          .select((expression) => expression.fn.max('changed').as('changed'))
          .executeTakeFirst()
        // Whoever follows the changes of people looks for greater ones.
        const changed = Math.max(now, Number(last?.changed ?? 0) + 1)
        const written = { emails: JSON.stringify(emails), roles: JSON.stringify(roles), active: active ? 1 : 0, changed }
        const made = await transaction
          .insertInto('people')
          .values({ ...person, ...written })
          // Somebody whom only the file or an administrator has named becomes the administrator.
          .onConflict((conflict) => conflict.column('id').doUpdateSet(written).where('people.issuer', 'is', null))
          .executeTakeFirst()
        const isNew = (made.numInsertedOrUpdatedRows ?? 0n) > 0n && (await insertAccount(transaction, person.id, now))
        // Takes everything back, the use of the link as well.
        if (!isNew)
          throw new TurnwardError('request.invalid', {
            subject: person.id,
            why: 'somebody has this name already',
            fix: 'Choose another one.',
          })
        return setSecrets(transaction, person.id, secrets, now)
      })
    },
    hasAdmin: () => hasAdmin(database),
  }
}

async function adoptAccount(
  transaction: Transaction<StoreTables>,
  { person, password, totp, totpStep, recovery, created, changed }: StoredAccount,
): Promise<'new' | 'changed' | 'kept'> {
  const row = await transaction.selectFrom('accounts').selectAll().where('name_key', '=', person.toLowerCase()).executeTakeFirst()
  if (row === undefined) {
    if (!(await insertAccount(transaction, person, created))) return 'kept'
    await setSecrets(transaction, person, { password, totp, totpStep, recovery }, changed)
    return 'new'
  }
  const here = fromRow(row)
  if (here.person !== person || here.changed > changed) return 'kept'
  const isSame = here.changed === changed
  const secrets = {
    password,
    totp,
    totpStep: isSame ? Math.max(totpStep, here.totpStep) : totpStep,
    recovery: isSame ? here.recovery.filter((hash) => recovery.includes(hash)) : recovery,
  }
  if (isSame && secrets.totpStep === here.totpStep && secrets.recovery.length === here.recovery.length) return 'kept'
  await setSecrets(transaction, person, secrets, changed)
  return 'changed'
}

async function insertAccount(database: Kysely<StoreTables>, person: string, now: number): Promise<boolean> {
  const made = await database
    .insertInto('accounts')
    .values({
      person,
      name_key: person.toLowerCase(),
      password: null,
      totp: null,
      totp_step: 0,
      recovery: '[]',
      created: now,
      changed: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (made.numInsertedOrUpdatedRows ?? 0n) > 0n
}

async function setSecrets(
  database: Kysely<StoreTables>,
  person: string,
  { password, totp, totpStep, recovery }: AccountSecrets,
  now: number,
): Promise<boolean> {
  const written = { password, totp, totp_step: totpStep, recovery: JSON.stringify(recovery), changed: now }
  return (await database.updateTable('accounts').set(written).where('person', '=', person).executeTakeFirst()).numUpdatedRows > 0n
}

/** Takes all links of a person, in one statement, so that of two that are used at once only one finds itself. */
async function takeLinks(transaction: Transaction<StoreTables>, hash: string, person: string, now: number): Promise<boolean> {
  const found = await transaction
    .selectFrom('account_links')
    .select('hash')
    .where('hash', '=', hash)
    .where('person', '=', person)
    .where('expires', '>', now)
    .executeTakeFirst()
  if (found === undefined) return false
  const taken = await transaction.deleteFrom('account_links').where('person', '=', person).returning('hash').execute()
  return taken.some((row) => row.hash === hash)
}

async function hasAdmin(database: Kysely<StoreTables>): Promise<boolean> {
  const row = await database
    .selectFrom('people')
    .select('id')
    .where('active', '=', 1)
    .where('roles', 'like', '%"admin"%')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

function fromRow(row: Selectable<AccountsRow>): StoredAccount {
  const { person, password, totp, totp_step: step, recovery, created, changed } = row
  const moments = { totpStep: Number(step), created: Number(created), changed: Number(changed) }
  return { person, password, totp, recovery: readHashes(person, recovery), ...moments }
}

function readHashes(person: string, text: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(text)
    if (Array.isArray(parsed) && parsed.every((one) => typeof one === 'string')) return parsed
  } catch {
    // Said below.
  }
  throw new TurnwardError('store.failed', { subject: person, why: 'the recovery codes of the account are not a list' })
}
