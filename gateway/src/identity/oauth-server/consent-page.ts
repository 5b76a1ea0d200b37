/** What a person is shown before a client may act for it: who asks, where the answer goes, and what it will be able to do. Pure. */
import type { Scope } from '../../core/principal.ts'
import { html, type Html } from '../browser/html.ts'
import type { Page } from '../browser/page.ts'
import { leadsToThisMachine } from './client-metadata.ts'
import type { Resource } from './resources.ts'

/** What a person can use of what a client asks for. */
export interface Usable {
  /** Names of models, and patterns of them. */
  readonly models: readonly string[]
  readonly gateways: readonly UsableGateway[]
}

/** What a client asks for. */
export interface Asked {
  readonly client: string
  readonly resources: readonly Resource[]
  readonly scopes: readonly Scope[]
}

export interface UsableGateway {
  readonly name: string
  readonly tools: readonly string[]
  /** Servers whose tools are not known at the moment. */
  readonly missing: readonly string[]
}

export interface Consent {
  readonly client: AskingClient
  readonly redirectUri: string | undefined
  readonly person: string
  readonly resources: readonly Resource[]
  readonly scopes: readonly Scope[]
  readonly usable: Usable
  /** Where the form goes, and what it carries against forgery. */
  readonly action: string
  readonly guard: Html
}

export interface AskingClient {
  readonly id: string
  readonly name: string | undefined
  /** Its id is the address of its document, which was fetched from there. */
  readonly isDocument: boolean
  /** It is declared in the configuration. */
  readonly isConfigured: boolean
}

const mostShown = 40
const longestName = 80

export function consentPage(consent: Consent): Page {
  const name = nameOf(consent.client)
  return {
    title: `Allow ${name}?`,
    body: html`
      <p><strong>${name}</strong> asks to act for you, <strong>${consent.person}</strong>.</p>
      ${whoAsks(consent.client)} ${whereTo(consent.redirectUri)}
      <h2>It will be able to</h2>
      ${whatItMay(consent)}
      <p>It can do this until you take it back, and never more than you can do yourself.</p>
      <form method="post" action="${consent.action}">
        ${consent.guard}
        <button type="submit" name="decision" value="allow">Allow</button>
        <button class="second" type="submit" name="decision" value="deny">Do not allow</button>
      </form>
    `,
  }
}

/** What a client is called, without characters that could make it look like something else. */
export function nameOf({ name, id }: Pick<AskingClient, 'id' | 'name'>): string {
  const shown = plain(name ?? '')
  return shown === '' ? plain(id) : shown
}

function plain(text: string): string {
  return text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, longestName)
}

function whoAsks({ id, isDocument, isConfigured }: AskingClient): Html {
  if (isConfigured) return html`<p>Your administrator has set it up.</p>`
  if (isDocument)
    return html`<p>
      It is known by a document at <strong>${URL.parse(id)?.host ?? id}</strong>. The name above is what that document says.
    </p>`
  return html`<p class="warning">It has registered itself: nobody has checked its name.</p>`
}

function whereTo(redirectUri: string | undefined): Html {
  if (redirectUri === undefined)
    return html`<p>The answer goes to the device that showed you the code. Allow it only if that device is before you.</p>`
  if (leadsToThisMachine(redirectUri))
    return html`<p class="warning">
      The answer goes to <strong>a program on this computer</strong> (<code>${plain(redirectUri)}</code>). Any program here can ask under
      this name: allow it only if you have just started it yourself.
    </p>`
  const url = URL.parse(redirectUri)
  if (url?.protocol === 'https:') return html`<p>The answer goes to <strong>${url.host}</strong>.</p>`
  return html`<p class="warning">
    The answer goes to an application that has registered <code>${url?.protocol ?? ''}</code> on this device.
  </p>`
}

function whatItMay({ scopes, usable, resources }: Consent): Html {
  const lines: Html[] = []
  if (scopes.includes('models'))
    lines.push(
      usable.models.length === 0
        ? html`<li>use models: you may use none at the moment</li>`
        : html`<li>use the models ${listOf(usable.models)}</li>`,
    )
  if (scopes.includes('mcp')) lines.push(...usable.gateways.map(gatewayLine))
  if (scopes.includes('mcp') && usable.gateways.length === 0)
    lines.push(
      html`<li>use tools${resources.some(({ kind }) => kind === 'mcp') ? ' of this gateway' : ''}: you may use none at the moment</li>`,
    )
  if (scopes.includes('admin')) lines.push(html`<li><strong>administer this Turnward</strong> as far as your roles go</li>`)
  return html`<ul>
    ${lines}
  </ul>`
}

function gatewayLine({ name, tools, missing }: UsableGateway): Html {
  const known = tools.length === 0 ? html`none of its tools at the moment` : html`the tools ${listOf(tools)}`
  const rest = missing.length === 0 ? undefined : html`; and tools of ${listOf(missing)}, which cannot be asked now`
  return html`<li>use ${known} through the gateway <strong>${name}</strong>${rest}</li>`
}

function listOf(names: readonly string[]): Html {
  const shown = names.slice(0, mostShown).map((name, index) => html`${index === 0 ? '' : ', '}<code>${name}</code>`)
  const more = names.length - mostShown
  return html`${shown}${more > 0 ? html` and ${more} more` : undefined}`
}
