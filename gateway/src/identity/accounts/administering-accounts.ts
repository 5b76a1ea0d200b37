/** What administrators do with local accounts, while the gateway runs or not: adding, resetting, removing, and the links that set a password. */
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { keyedHash } from '../../core/hash.ts'
import { randomText } from '../../core/ids.ts'
import type { StoredAccount } from '../../store/accounts.ts'
import type { NewPerson } from '../../store/people.ts'
import type { Store } from '../../store/store.ts'

/** The text of a link, which is shown once, and the end of its time (Unix milliseconds). */
export interface NewLink {
  readonly token: string
  readonly expires: number
}

/** Names that go into addresses, logs and configurations alike. */
export const accountName = /^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,62}$/
const linkLength = 43

export class AccountAdministration {
  readonly #store: Pick<Store, 'accounts' | 'people' | 'secret'>
  readonly #clock: Clock

  constructor(store: Pick<Store, 'accounts' | 'people' | 'secret'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Adds an account for a person, and the person if need be. Rejects with `request.invalid`. */
  async add(name: string, roles: readonly string[], linkMs: number): Promise<NewLink> {
    if (!accountName.test(name)) throw invalid(name, 'a name has 1-63 letters, digits, or `_ . @ + -`, and begins with a letter or digit')
    const now = this.#clock.now()
    const { people, accounts } = this.#store
    const known = await people.find(name)
    if (known !== undefined && known.issuer !== null) throw invalid(name, `the person signs in with \`${known.issuer}\``)
    if (!(await accounts.add(name, now))) throw invalid(name, 'there is an account of this name')
    if (known === undefined) await people.add(newPerson(name, roles, now), now)
    else if (roles.length > 0) await people.change(name, { roles: [...new Set([...known.roles, ...roles])] }, now)
    return this.#newLink(name, linkMs)
  }

  list(): Promise<StoredAccount[]> {
    return this.#store.accounts.list()
  }

  /** Makes an account one that nobody can sign in with until its link is used; its sessions end. Rejects with `request.invalid`. */
  async reset(name: string, linkMs: number): Promise<NewLink> {
    const { person } = await this.#find(name)
    await this.#store.accounts.set(person, { password: null, totp: null, totpStep: 0, recovery: [] }, this.#clock.now())
    return this.#newLink(person, linkMs)
  }

  /** Removes an account; its sessions end, the person stays. Rejects with `request.invalid`. */
  async remove(name: string): Promise<void> {
    const { person } = await this.#find(name)
    await this.#store.accounts.remove(person)
  }

  /** The link that makes the first administrator; undefined when there is one. */
  async firstLink(linkMs: number): Promise<NewLink | undefined> {
    return (await this.#store.accounts.hasAdmin()) ? undefined : this.#newLink(undefined, linkMs)
  }

  async #find(name: string): Promise<StoredAccount> {
    const account = await this.#store.accounts.find(name)
    if (account === undefined) throw invalid(name, 'there is no account of this name')
    return account
  }

  async #newLink(person: string | undefined, linkMs: number): Promise<NewLink> {
    const token = randomText(linkLength)
    const now = this.#clock.now()
    const expires = now + linkMs
    await this.#store.accounts.addLink({ hash: linkHash(this.#store.secret, token), person, expires }, now)
    return { token, expires }
  }
}

/** What is kept of the text of a link. */
export function linkHash(secret: Uint8Array, token: string): string {
  return keyedHash(secret, 'account link v1', token)
}

/** A person whom an administrator names, and no issuer. */
export function newPerson(id: string, roles: readonly string[], now: number): NewPerson {
  return { id, issuer: null, subject: null, kind: 'human', name: null, emails: [], active: true, roles, created: now, seen: null }
}

function invalid(subject: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why, fix: 'See `turnward accounts --help`.' })
}
