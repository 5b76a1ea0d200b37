/**
 * The pages where people connect accounts of theirs (`/connect`). Nothing is connected unless the person who sits at the browser is
 * the one the link was made for, has said so on a page of ours, and comes back with the browser that went.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { onPages, type BrowserEntrance } from '../browser/entrance.ts'
import { readForm } from '../browser/forms.ts'
import { answerPage, answerRedirect } from '../browser/page.ts'
import type { BrowserSession, SignIn } from '../browser/sign-in.ts'
import { clientDocument, clientDocumentPath } from '../server-auth/client-document.ts'
import {
  connectPage,
  donePage,
  failedPage,
  leavingPage,
  nothingToConnectPage,
  oldLinkPage,
  otherPersonPage,
  overviewPage,
} from './connect-pages.ts'
import { addressOf } from './link.ts'
import { LinkDeclined, type LinkEngine } from './link-engine.ts'
import type { LinkFlows } from './link-flows.ts'
import { openTicket, type LinkTicket } from './link-ticket.ts'
import type { Links } from './links.ts'
import { personalAuthOf, type PersonalAuth } from './personal-auth.ts'
import type { StoredSecrets } from './stored-secrets.ts'

export interface ConnectingParts {
  readonly snapshot: () => Snapshot
  /** Without a slash at its end. */
  readonly publicUrl: () => string
  readonly signIn: SignIn
  readonly links: Links
  /** Forgets an account and takes its tokens back. */
  readonly endLink: (person: string, server: McpServer) => Promise<unknown>
  readonly secrets: StoredSecrets
  readonly flows: LinkFlows
  readonly engine: LinkEngine
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
  /** That of the store. */
  readonly secret: Uint8Array
}

/** Where authorization servers send browsers back to. No server has this name. */
export const returnPath = '/connect/-/return'
const longestMs = 30_000

type Handle = (request: IncomingMessage, response: ServerResponse, server: string) => Promise<void>

/** What a person may connect, and who that is. */
interface Visit {
  readonly session: BrowserSession
  readonly server: McpServer
  readonly auth: PersonalAuth
  readonly ticket: LinkTicket | undefined
  readonly ticketText: string | undefined
}

export function connectEntrances(parts: ConnectingParts): readonly BrowserEntrance[] {
  const { signIn, links, secrets, flows, engine, logger } = parts

  /** Who comes for what; undefined when that was answered already. `ticketText`: what the link or the form carries. */
  async function visit(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    ticketText: string | undefined,
  ): Promise<Visit | undefined> {
    const session = await signIn.current(request)
    const here = `/connect/${name}${ticketText === undefined ? '' : `?for=${ticketText}`}`
    if (session === undefined) {
      answerRedirect(response, signIn.startPath(here))
      return undefined
    }
    const ticket = ticketText === undefined ? undefined : openTicket(parts.secret, ticketText, parts.clock.now())
    if (ticketText !== undefined && ticket?.server !== decoded(name)) {
      answerPage(response, 400, oldLinkPage())
      return undefined
    }
    // Who sits here must be who it was made for: otherwise one person's agent would act as another at the server.
    if (ticket !== undefined && ticket.person !== session.person) {
      logger.warn({ server: ticket.server }, 'a link to connect an account was opened by another person than it was made for')
      answerPage(response, 403, otherPersonPage(ticket.server, session.person, signIn.startPath(here, { fresh: true })))
      return undefined
    }
    const server = parts.snapshot().servers.get(decoded(name))
    const auth = server === undefined ? undefined : personalAuthOf(server)
    if (server === undefined || auth === undefined) {
      answerPage(response, 404, nothingToConnectPage())
      return undefined
    }
    return { session, server, auth, ticket, ticketText }
  }

  const sinceOf = async (person: string, server: McpServer, { kind }: PersonalAuth): Promise<number | undefined> =>
    kind === 'user' ? (await links.find(person, server))?.linkedAt : (await secrets.find(person, server))?.storedAt

  const show: Handle = async (request, response, name) => {
    const found = await visit(request, response, name, queryOf(request).get('for') ?? undefined)
    if (found === undefined) return
    const { session, server, auth, ticket, ticketText } = found
    answerPage(
      response,
      200,
      connectPage({
        server: server.name,
        host: hostOf(server),
        person: session.person,
        scopes: ticket?.scopes ?? (auth.kind === 'user' ? auth.scopes : undefined),
        since: await sinceOf(session.person, server, auth),
        secret: auth.kind === 'user' ? undefined : { help: auth.help },
        ticket: ticketText,
        csrf: signIn.csrfField(session),
      }),
    )
  }

  const act: Handle = async (request, response, name) => {
    const form = await readForm(request)
    const found = await visit(request, response, name, form.get('for') ?? undefined)
    if (found === undefined) return
    const { session, server, auth, ticket } = found
    signIn.checkCsrf(request, form, session)
    const { person } = session
    const action = form.get('action')
    if (action === 'disconnect') {
      await (auth.kind === 'user' ? parts.endLink(person, server) : secrets.remove(person, server.name))
      logger.info({ server: server.name }, 'a person has disconnected an account')
      answerPage(response, 200, donePage(server.name, 'removed', person))
    } else if (action === 'store' && auth.kind !== 'user') {
      await secrets.keep(person, server, form.get('secret') ?? '')
      logger.info({ server: server.name }, 'a person has stored a secret')
      answerPage(response, 200, donePage(server.name, 'stored', person))
    } else if (action === 'connect' && auth.kind === 'user') {
      const state = flows.newState()
      const redirectUri = `${parts.publicUrl()}${returnPath}`
      const signal = AbortSignal.timeout(longestMs)
      const begun = await engine.begin({ server, auth, scopes: ticket?.scopes, state, redirectUri, signal })
      await flows.begin(state, { person, session: session.id, server: server.name, url: addressOf(server), pending: begun.pending })
      answerPage(response, 200, leavingPage(server.name, begun.host, begun.url))
    } else answerPage(response, 400, failedPage(server.name, 'That cannot be done here.', undefined))
  }

  const comeBack: Handle = async (request, response) => {
    const answer = queryOf(request)
    const session = await signIn.current(request)
    const flow = session === undefined ? undefined : await flows.take(answer.get('state') ?? '', session)
    if (session === undefined || flow === undefined) {
      const why = 'This browser has not begun to connect an account, or that was too long ago, or it has come back once already.'
      return answerPage(response, 400, failedPage(undefined, why, undefined))
    }
    const again = `/connect/${encodeURIComponent(flow.server)}`
    const server = parts.snapshot().servers.get(flow.server)
    if (server === undefined || personalAuthOf(server)?.kind !== 'user' || addressOf(server) !== flow.url)
      return answerPage(response, 409, failedPage(flow.server, 'The server is configured otherwise now than when you left.', again))
    const tokens = await engine.finish(flow.pending, answer, AbortSignal.timeout(longestMs)).catch((error: unknown) => {
      const reason = error instanceof LinkDeclined ? error.reason : asTurnwardError(error).code
      logger.warn({ server: flow.server, reason }, 'an account was not connected')
      answerPage(response, error instanceof LinkDeclined ? 200 : 502, failedPage(flow.server, whyNot(error), again))
    })
    if (tokens === undefined) return
    await links.keep(flow.person, server, tokens)
    logger.info({ server: flow.server }, 'a person has connected an account')
    answerPage(response, 200, donePage(flow.server, 'connected', flow.person))
  }

  const overview: Handle = async (request, response) => {
    const session = await signIn.current(request)
    if (session === undefined) return answerRedirect(response, signIn.startPath('/connect'))
    const entries = [...parts.snapshot().servers.values()].flatMap((server) => {
      const auth = personalAuthOf(server)
      return auth === undefined ? [] : [{ server, auth }]
    })
    const views = await Promise.all(
      entries.map(async ({ server, auth }) => ({ server: server.name, since: await sinceOf(session.person, server, auth) })),
    )
    answerPage(response, 200, overviewPage(views, session.person))
  }

  const entrance = (method: string, path: string, handle: Handle): BrowserEntrance => ({
    path,
    methods: [method],
    needs: 'browser',
    handle: onPages(handle, logger),
  })
  return [
    entrance('GET', '/connect', overview),
    entrance('GET', returnPath, comeBack),
    entrance('GET', '/connect/{server}', show),
    entrance('POST', '/connect/{server}', act),
    {
      path: clientDocumentPath,
      methods: ['GET'],
      needs: 'anyone',
      handle: (_request, response) => {
        const document = clientDocument(parts.publicUrl(), `${parts.publicUrl()}${returnPath}`)
        response
          .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' })
          .end(JSON.stringify(document))
      },
    },
  ]
}

function whyNot(error: unknown): string {
  if (error instanceof LinkDeclined)
    return error.reason === 'access_denied'
      ? 'You, or the server, did not agree.'
      : `The authorization server answered \`${error.reason}\`.`
  return asTurnwardError(error).message
}

function hostOf(server: McpServer): string {
  return URL.parse(addressOf(server))?.host ?? ''
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? '/', 'http://own.invalid').searchParams
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return ''
  }
}
