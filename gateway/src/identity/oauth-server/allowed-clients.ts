/** What a person has allowed so far, and the way to take it back: everything a client was given for them ends with it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../core/clock.ts'
import { isObject } from '../../core/json.ts'
import { html, type Html } from '../browser/html.ts'
import { answerPage, answerRedirect, type Page } from '../browser/page.ts'
import type { SignIn } from '../browser/sign-in.ts'
import { accountId } from './account.ts'
import { nameOf } from './consent-page.ts'
import { readForm } from './reading-form.ts'
import type { ModelStore } from './stored-models.ts'

/** Where people see it. */
export const allowedPath = '/oauth/allowed'

interface Allowed {
  readonly client: string
  readonly name: string
  /** When it was allowed last (Unix milliseconds). */
  readonly at: number
  /** Everything that was given to it. */
  readonly grants: readonly string[]
}

const mostClients = 500
const mostGrants = 50

export class AllowedClients {
  readonly #models: (name: string) => ModelStore
  readonly #clock: Clock

  constructor(models: (name: string) => ModelStore, clock: Clock) {
    this.#models = models
    this.#clock = clock
  }

  /** Remembers that a person has allowed a client something. `seconds`: for how long that can be good. */
  async add(account: string, client: { readonly id: string; readonly name: string }, grant: string, seconds: number): Promise<void> {
    await this.#models('Allowed').change(account, seconds, (before) => {
      const known = entriesOf(before)
      const grants = known.find((one) => one.client === client.id)?.grants ?? []
      const entry = {
        client: client.id,
        name: client.name,
        at: this.#clock.now(),
        grants: [grant, ...grants.filter((one) => one !== grant)].slice(0, mostGrants),
      }
      return { entries: [entry, ...known.filter((one) => one.client !== client.id)].slice(0, mostClients) }
    })
  }

  /** The grant that a person gave this client last. */
  async grantOf(account: string, client: string): Promise<string | undefined> {
    return (await this.#models('Consent').find(`${client} ${account}`))?.grantId
  }

  /** Does not ask again for this long. */
  async remember(account: string, client: string, grantId: string, seconds: number): Promise<void> {
    await this.#models('Consent').upsert(`${client} ${account}`, { grantId }, seconds)
  }

  async list(account: string): Promise<readonly Allowed[]> {
    return entriesOf(await this.#models('Allowed').find(account))
  }

  /** Ends all that a client was given for a person; false when there is nothing. */
  async takeBack(account: string, client: string, seconds: number): Promise<boolean> {
    const entry = (await this.list(account)).find((one) => one.client === client)
    if (entry === undefined) return false
    for (const grant of entry.grants) await this.#models('Grant').destroy(grant)
    await this.#models('Consent').destroy(`${client} ${account}`)
    await this.#models('Allowed').change(account, seconds, (before) => ({
      entries: entriesOf(before).filter((one) => one.client !== client || one.grants.some((grant) => !entry.grants.includes(grant))),
    }))
    return true
  }
}

export interface AllowedPageParts {
  readonly allowed: AllowedClients
  readonly signIn: SignIn
  /** How long a grant lives at most. */
  readonly seconds: number
}

/** Answers GET and POST of the page. Rejects with `auth.foreign_form` for a form of somebody else. */
export async function answerAllowed(
  { allowed, signIn, seconds }: AllowedPageParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await signIn.current(request)
  if (session === undefined) return answerRedirect(response, signIn.startPath(allowedPath))
  const account = accountId(session)
  let taken = false
  if (request.method === 'POST') {
    const form = await readForm(request)
    signIn.checkCsrf(request, form, session)
    taken = await allowed.takeBack(account, form.get('client') ?? '', seconds)
  }
  answerPage(response, 200, allowedPage(await allowed.list(account), session.person, signIn.csrfField(session), taken))
}

function allowedPage(entries: readonly Allowed[], person: string, guard: Html, taken: boolean): Page {
  return {
    title: 'What you have allowed',
    body: html`
      ${taken ? html`<p class="note" role="status">It was taken back. What it was doing for you is ended.</p>` : undefined}
      ${entries.length === 0 ? html`<p>No application acts for you here.</p>` : entries.map((entry) => entryOf(entry, guard))}
    `,
    foot: html`Signed in as ${person}`,
  }
}

function entryOf({ client, name, at }: Allowed, guard: Html): Html {
  return html`<h2>${nameOf({ id: client, name })}</h2>
    <p>Allowed on ${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC (<code>${client}</code>).</p>
    <form method="post" action="${allowedPath}">
      ${guard}<input type="hidden" name="client" value="${client}" />
      <button class="second" type="submit">Take it back</button>
    </form>`
}

function entriesOf(payload: unknown): readonly Allowed[] {
  const entries = isObject(payload) ? payload.entries : undefined
  return Array.isArray(entries) ? (entries as unknown as readonly Allowed[]) : []
}
