/**
 * Local accounts: a password and a one-time code, set by a link that is good once. What is wrong with an attempt is never said,
 * and takes as long as what is right.
 */
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { keyedHash } from '../../core/hash.ts'
import { randomText } from '../../core/ids.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { AccountLink, StoredAccount } from '../../store/accounts.ts'
import type { NewPerson } from '../../store/people.ts'
import type { Store } from '../../store/store.ts'
import { Attempts } from './attempts.ts'
import { OneTimeCodes } from './one-time-codes.ts'
import { passwordProblem, Passwords } from './passwords.ts'

export interface AccountParts {
  readonly store: Pick<Store, 'accounts' | 'people' | 'secret'>
  readonly state: StateStore
  readonly clock: Clock
  /** Whether an account needs one-time codes. */
  readonly needsCode: () => boolean
}

export interface SignInAttempt {
  readonly name: string
  readonly password: string
  /** A one-time code or a recovery code; empty for none. */
  readonly code: string
  /** Address of the peer. */
  readonly address: string
}

/** What somebody sets with a link. */
export interface NewSecrets {
  /** Of the first administrator; ignored with a link of an account. */
  readonly name: string
  readonly password: string
  /** As the page has sealed it. */
  readonly sealedTotp: string
  /** Empty: without codes, where none are needed. */
  readonly code: string
}

/** Names that go into addresses, logs and configurations alike. */
const nameText = /^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,62}$/
const linkLength = 43

export class Accounts {
  readonly #parts: AccountParts
  readonly #passwords: Passwords
  readonly #attempts: Attempts
  readonly codes: OneTimeCodes

  constructor(parts: AccountParts) {
    this.#parts = parts
    const { secret } = parts.store
    this.#passwords = new Passwords(secret)
    this.#attempts = new Attempts({ state: parts.state, clock: parts.clock, secret })
    this.codes = new OneTimeCodes(secret)
  }

  /**
   * Who signs in. Rejects with `auth.wrong_sign_in`, which never says what was wrong, `auth.too_many_attempts`, `auth.busy`, or
   * with `auth.no_second_factor` for the right password of an account that needs codes and has none.
   */
  async signIn({ name, password, code, address }: SignInAttempt): Promise<string> {
    const succeeded = await this.#attempts.begin(name, address)
    const account = nameText.test(name) ? await this.#parts.store.accounts.find(name) : undefined
    const isPassword = await this.#passwords.verify(password, account?.password)
    if (account === undefined || !isPassword || !(await this.#takesCode(account, code))) throw new TurnwardError('auth.wrong_sign_in')
    if (account.totp === null && this.#parts.needsCode()) throw new TurnwardError('auth.no_second_factor', { subject: account.person })
    await succeeded()
    return account.person
  }

  /** The text of a new link for an account. Rejects with `request.invalid` when there is no such account. */
  async newLink(name: string, lastsMs: number): Promise<{ readonly token: string; readonly expires: number; readonly person: string }> {
    const account = await this.#parts.store.accounts.find(name)
    if (account === undefined) throw noAccount(name)
    return { ...(await this.#addLink(account.person, lastsMs)), person: account.person }
  }

  /** The text of a link that makes the first administrator; undefined when there is an administrator. */
  async firstLink(lastsMs: number): Promise<{ readonly token: string; readonly expires: number } | undefined> {
    if (await this.#parts.store.accounts.hasAdmin()) return undefined
    return this.#addLink(undefined, lastsMs)
  }

  /** The link with this text; undefined when it was used or has expired. */
  async findLink(token: string): Promise<AccountLink | undefined> {
    return this.#parts.store.accounts.findLink(this.#linkHash(token), this.#parts.clock.now())
  }

  /**
   * Uses a link. Resolves with who it is and the new recovery codes, or with what is to be told to whoever fills the form in.
   * Rejects with `auth.link_used`.
   */
  async useLink(
    token: string,
    { name, password, sealedTotp, code }: NewSecrets,
  ): Promise<{ readonly problem: string } | { readonly person: string; readonly recovery: readonly string[] }> {
    const { store, clock, needsCode } = this.#parts
    const link = await this.findLink(token)
    if (link === undefined) throw new TurnwardError('auth.link_used')
    const person = link.person ?? name
    if (!nameText.test(person))
      return { problem: 'The name needs 1-63 letters, digits, or `_ . @ + -`, and begins with a letter or digit.' }
    const problem = passwordProblem(password, person)
    if (problem !== undefined) return { problem }
    const totp = code === '' ? undefined : this.codes.open(sealedTotp, token)
    const step = totp === undefined ? undefined : this.codes.stepOf(totp, code, clock.now())
    if (code === '' ? needsCode() : step === undefined)
      return { problem: 'The code is not the one that the app shows now. Is the clock of the device right?' }
    const recovery = totp === undefined ? [] : this.codes.newRecoveryCodes()
    const secrets = {
      password: await this.#passwords.hash(password),
      totp: totp === undefined ? null : this.codes.seal(totp, person),
      totpStep: step ?? 0,
      recovery: recovery.map((one) => this.codes.recoveryHash(person, one)),
    }
    const now = clock.now()
    const isUsed =
      link.person === undefined
        ? await store.accounts.useFirstLink(link, newPerson(person, ['admin'], now), secrets, now)
        : await store.accounts.useLink(link, secrets, now)
    if (!isUsed) throw new TurnwardError('auth.link_used')
    return { person, recovery }
  }

  /** Adds an account for a person, and the person if need be. Rejects with `request.invalid`. */
  async add(name: string, roles: readonly string[]): Promise<void> {
    const { store, clock } = this.#parts
    if (!nameText.test(name)) throw invalid(name, 'a name has 1-63 letters, digits, or `_ . @ + -`, and begins with a letter or digit')
    const now = clock.now()
    const known = await store.people.find(name)
    if (known !== undefined && known.issuer !== null) throw invalid(name, `the person signs in with \`${known.issuer}\``)
    if (!(await store.accounts.add(name, now))) throw invalid(name, 'there is an account of this name')
    if (known === undefined) await store.people.add(newPerson(name, roles, now), now)
    else if (roles.length > 0) await store.people.change(name, { roles: [...new Set([...known.roles, ...roles])] }, now)
  }

  /** Makes an account one that nobody can sign in with until its next link is used; its sessions end. Rejects with `request.invalid`. */
  async reset(name: string): Promise<string> {
    const { store, clock } = this.#parts
    const account = await store.accounts.find(name)
    if (account === undefined) throw noAccount(name)
    await store.accounts.set(account.person, { password: null, totp: null, totpStep: 0, recovery: [] }, clock.now())
    return account.person
  }

  /** Removes an account; its sessions end, the person stays. Rejects with `request.invalid`. */
  async remove(name: string): Promise<string> {
    const { store } = this.#parts
    const account = await store.accounts.find(name)
    if (account === undefined || !(await store.accounts.remove(account.person))) throw noAccount(name)
    return account.person
  }

  async #takesCode(account: StoredAccount, code: string): Promise<boolean> {
    if (account.totp === null) return code === ''
    const { store, clock } = this.#parts
    const digits = code.replaceAll(' ', '')
    const secret = this.codes.open(account.totp, account.person)
    const step = secret === undefined ? undefined : this.codes.stepOf(secret, digits, clock.now())
    if (step !== undefined) return store.accounts.useStep(account.person, step)
    return code !== '' && store.accounts.useRecovery(account.person, this.codes.recoveryHash(account.person, code))
  }

  async #addLink(person: string | undefined, lastsMs: number): Promise<{ readonly token: string; readonly expires: number }> {
    const { store, clock } = this.#parts
    const token = randomText(linkLength)
    const now = clock.now()
    const expires = now + lastsMs
    await store.accounts.addLink({ hash: this.#linkHash(token), person, expires }, now)
    return { token, expires }
  }

  #linkHash(token: string): string {
    return keyedHash(this.#parts.store.secret, 'account link v1', token)
  }
}

function newPerson(id: string, roles: readonly string[], now: number): NewPerson {
  return { id, issuer: null, subject: null, kind: 'human', name: null, emails: [], active: true, roles, created: now, seen: null }
}

function noAccount(name: string): TurnwardError {
  return invalid(name, 'there is no account of this name')
}

function invalid(subject: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why, fix: 'See `turnward accounts --help`.' })
}
