/**
 * What a person does in the middle of an authorization: sign in, and agree or not. Where it stands is bound to the browser by a
 * cookie, and who is asked is who is signed in there; both are checked again when the answer comes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'
import type { Scope } from '../../core/principal.ts'
import { html } from '../browser/html.ts'
import { answerPage, answerRedirect } from '../browser/page.ts'
import type { BrowserSession, SignIn } from '../browser/sign-in.ts'
import { accountId, type Account } from './account.ts'
import { consentPage, type Asked, type Usable } from './consent-page.ts'
import { expiredPage } from './plain-pages.ts'
import { interactionPath } from './provider-configuration.ts'
import { readForm } from './reading-form.ts'
import { allScopes, resourceOf, scopesOf } from './resources.ts'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

export interface InteractionParts {
  readonly provider: Provider
  readonly publicUrl: string
  readonly signIn: SignIn
  /** Who signs people in: name of an issuer, `local`, or undefined for anybody who may. */
  readonly login: string | undefined
  /** Whether the client of this id is declared in the configuration. */
  readonly isConfigured: (client: string) => boolean
  /** Scopes that the client of this id may have. */
  readonly mayHave: (client: string) => readonly Scope[]
  /** What the person can use of what is asked for. */
  readonly usable: (account: Account, asked: Asked) => Promise<Usable>
  /** Remembers the grant that a person gave to a client. */
  readonly remember: (account: string, client: { readonly id: string; readonly name: string }, grant: string) => Promise<void>
}

/** Answers GET and POST of one interaction. Rejects with `auth.foreign_form` for a form of somebody else. */
export async function answerInteraction(
  parts: InteractionParts,
  request: IncomingMessage,
  response: ServerResponse,
  uid: string,
): Promise<void> {
  const details = await parts.provider.interactionDetails(request, response).catch(() => undefined)
  if (details === undefined || details.uid !== uid) return answerPage(response, 400, expiredPage)
  const session = await parts.signIn.current(request)
  if (details.prompt.name === 'login') return answerLogin(parts, request, response, details, session)
  // Signed out or expired since: sign in again, and be asked again.
  if (session === undefined) return goTo(parts, request, response, details, undefined)
  if (accountId(session) !== details.session?.accountId)
    return end(parts, request, response, { error: 'access_denied', error_description: 'another person has signed in' })
  if (request.method !== 'POST') return answerPage(response, 200, consentPage(await consentOf(parts, details, session)))
  const form = await readForm(request)
  parts.signIn.checkCsrf(request, form, session)
  if (form.get('decision') !== 'allow')
    return end(parts, request, response, { error: 'access_denied', error_description: 'the person did not allow it' })
  await end(parts, request, response, { consent: { grantId: await grantOf(parts, details, accountId(session)) } })
}

async function answerLogin(
  parts: InteractionParts,
  request: IncomingMessage,
  response: ServerResponse,
  details: Interaction,
  session: BrowserSession | undefined,
): Promise<void> {
  if (session === undefined || !isEnough(parts, details, session)) return goTo(parts, request, response, details, session)
  const login = { accountId: accountId(session), ts: Math.floor(session.signedInAt / 1000) }
  await parts.provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false })
}

/** Whether the session comes from whom it must come from, and is as new as the client wants. */
function isEnough({ login }: InteractionParts, { prompt, iat }: Interaction, { issuer, signedInAt }: BrowserSession): boolean {
  if (login !== undefined && login !== (issuer ?? 'local')) return false
  const mustBeFresh = prompt.reasons.some((reason) => reason === 'login_prompt' || reason === 'max_age')
  return !mustBeFresh || Math.floor(signedInAt / 1000) >= iat
}

/** Sends the browser to sign in and come back here. */
function goTo(
  { signIn, login }: InteractionParts,
  request: IncomingMessage,
  response: ServerResponse,
  { uid }: Interaction,
  session: BrowserSession | undefined,
): void {
  const path = signIn.startPath(`${interactionPath}${uid}`, {
    ...(login === undefined || login === 'local' ? {} : { issuer: login }),
    fresh: session !== undefined,
  })
  if (request.method === 'POST')
    answerPage(response, 200, { title: 'Sign in again', body: html`<p>Your session has ended.</p>`, onward: path })
  else answerRedirect(response, path)
}

async function consentOf(parts: InteractionParts, details: Interaction, session: BrowserSession) {
  const { params } = details
  const id = textOf(params['client_id'])
  const client = await parts.provider.Client.find(id)
  const resources = asked(params['resource'] ?? parts.publicUrl).flatMap((indicator) => resourceOf(parts.publicUrl, indicator) ?? [])
  const wanted = new Set(textOf(params['scope']).split(' '))
  // What it cannot get is not asked about.
  const may = new Set(resources.flatMap(scopesOf).filter((scope) => parts.mayHave(id).includes(scope)))
  const scopes = allScopes.filter((scope) => wanted.has(scope) && may.has(scope))
  return {
    client: {
      id,
      name: client?.clientName,
      isDocument: client !== undefined && 'clientIdMetadataDocument' in client,
      isConfigured: parts.isConfigured(id),
    },
    redirectUri: typeof params['redirect_uri'] === 'string' ? params['redirect_uri'] : undefined,
    person: session.person,
    resources,
    scopes,
    usable: await parts.usable(session, { client: id, resources, scopes }),
    action: `${interactionPath}${details.uid}`,
    guard: parts.signIn.csrfField(session),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function asked(resource: unknown): readonly string[] {
  return (Array.isArray(resource) ? resource : [resource]).filter((one) => typeof one === 'string')
}

/** The grant of this person to this client, with what was asked for now. */
async function grantOf({ provider, remember }: InteractionParts, details: Interaction, account: string): Promise<string> {
  const clientId = textOf(details.params['client_id'])
  const before = details.grantId === undefined ? undefined : await provider.Grant.find(details.grantId)
  const grant = before ?? new provider.Grant({ accountId: account, clientId })
  const missing = details.prompt.details['missingResourceScopes']
  for (const [indicator, scopes] of Object.entries((missing ?? {}) as Readonly<Record<string, readonly string[]>>))
    grant.addResourceScope(indicator, scopes.join(' '))
  const id = await grant.save()
  const client = await provider.Client.find(clientId)
  await remember(account, { id: clientId, name: client?.clientName ?? clientId }, id)
  return id
}

/** Ends the interaction. A form may not lead to another host by itself, so its answer is a page that goes on. */
async function end(
  { provider }: InteractionParts,
  request: IncomingMessage,
  response: ServerResponse,
  result: Parameters<Provider['interactionResult']>[2],
): Promise<void> {
  const onward = await provider.interactionResult(request, response, result, { mergeWithLastSubmission: !('error' in result) })
  const title = 'error' in result ? 'Not allowed' : 'Allowed'
  answerPage(response, 200, { title, body: html`<p>You are sent back to the application.</p>`, onward })
}
