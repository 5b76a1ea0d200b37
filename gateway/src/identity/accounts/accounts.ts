/**
 * Local accounts: a password and a one-time code, set by a link that is good once. What is wrong with an attempt is never said,
 * and takes as long as what is right.
 */
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { AccountLink, StoredAccount } from '../../store/accounts.ts'
import type { Store } from '../../store/store.ts'
import { accountName, linkHash, newPerson } from './administering-accounts.ts'
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
    const account = accountName.test(name) ? await this.#parts.store.accounts.find(name) : undefined
    const isPassword = await this.#passwords.verify(password, account?.password)
    if (account === undefined || !isPassword || !(await this.#takesCode(account, code))) throw new TurnwardError('auth.wrong_sign_in')
    if (account.totp === null && this.#parts.needsCode()) throw new TurnwardError('auth.no_second_factor', { subject: account.person })
    await succeeded()
    return account.person
  }

  /** The link with this text; undefined when it was used or has expired. */
  async findLink(token: string): Promise<AccountLink | undefined> {
    return this.#parts.store.accounts.findLink(linkHash(this.#parts.store.secret, token), this.#parts.clock.now())
  }

  /**
   * Uses a link. Resolves with who it is, whether that is the first administrator, and the new recovery codes; or with what is to be
   * told to whoever fills the form in. Rejects with `auth.link_used`.
   */
  async useLink(
    token: string,
    { name, password, sealedTotp, code }: NewSecrets,
  ): Promise<{ readonly problem: string } | { readonly person: string; readonly isFirst: boolean; readonly recovery: readonly string[] }> {
    const { store, clock, needsCode } = this.#parts
    const link = await this.findLink(token)
    if (link === undefined) throw new TurnwardError('auth.link_used')
    const person = link.person ?? name
    if (!accountName.test(person))
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
    return { person, isFirst: link.person === undefined, recovery }
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
}
