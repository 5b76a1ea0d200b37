/** The pages where people rule on calls (`/approvals`). The link cannot be guessed, and still whoever opens it has to sign in and be an approver. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { keyedHash } from '../../core/hash.ts'
import { onPages, type BrowserEntrance, type BrowserHandler } from '../../identity/browser/entrance.ts'
import { readForm } from '../../identity/browser/forms.ts'
import { answerPage, answerRedirect } from '../../identity/browser/page.ts'
import type { BrowserSession, SignIn } from '../../identity/browser/sign-in.ts'
import type { Services } from '../services.ts'
import { mayRule } from './approval.ts'
import { summaryOf, viewOf } from './approval-view.ts'
import { approvalPage, approvalsPage, noApprovalPage, type ApprovalPageView } from './approval-pages.ts'
import type { Ruler } from './approvals.ts'

const root = '/approvals'
const mostListed = 100
const longestReason = 500
const proofLength = 27

/** Path of the page of one approval. */
export function approvalPath(secret: Uint8Array, id: string): string {
  return `${root}/${id}.${proofOf(secret, id)}`
}

export function approvalPageEntrances(
  {
    approvals,
    people,
    snapshot,
    secret,
    approvalLink,
    telemetry,
  }: Pick<Services, 'approvals' | 'people' | 'snapshot' | 'secret' | 'approvalLink' | 'telemetry'>,
  signIn: SignIn,
): readonly BrowserEntrance[] {
  async function personOf(session: BrowserSession): Promise<Ruler> {
    const { id, groups } = await people.principal(session.person, snapshot())
    return { id, groups }
  }

  async function show(
    response: ServerResponse,
    session: BrowserSession,
    parameter: string,
    more: Pick<ApprovalPageView, 'done' | 'problem'> & { readonly status?: number } = {},
  ): Promise<void> {
    const path = `${root}/${parameter}`
    const person = await personOf(session)
    const id = idIn(secret, parameter)
    const approval = id === undefined ? undefined : await approvals.find(id)
    if (approval === undefined || !(approval.facts.principal === person.id || mayRule(approval, person)))
      return answerPage(response, 404, noApprovalPage(person.id, signIn.startPath(path, { fresh: true })))
    const { status = 200, ...said } = more
    const view = viewOf(approval, person, snapshot(), approvalLink(approval.id))
    answerPage(response, status, approvalPage({ approval: view, person: person.id, path, csrf: signIn.csrfField(session), ...said }))
  }

  const act: BrowserHandler = async (request, response, parameter) => {
    const form = await readForm(request)
    const session = await signedIn(request, response, `${root}/${parameter}`)
    if (session === undefined) return
    signIn.checkCsrf(request, form, session)
    const id = idIn(secret, parameter)
    const said = form.get('ruling')
    const endorses = said === 'endorse'
    const ruling = endorses ? 'approve' : said
    const reason = form.get('reason') ?? ''
    if (id === undefined || (ruling !== 'approve' && ruling !== 'deny') || reason.length > longestReason)
      return show(response, session, parameter, { status: 400 })
    try {
      // What is ruled on is what was shown.
      await approvals.rule(id, await personOf(session), {
        ruling,
        via: 'page',
        endorses,
        reason: reason.trim(),
        digest: form.get('digest') ?? '',
      })
    } catch (thrown) {
      const error = asTurnwardError(thrown)
      if (!(thrown instanceof TurnwardError) || !error.code.startsWith('approval.')) throw thrown
      return show(response, session, parameter, { problem: error.message, status: error.status })
    }
    await show(response, session, parameter, { done: ruling })
  }

  async function signedIn(request: IncomingMessage, response: ServerResponse, path: string): Promise<BrowserSession | undefined> {
    const session = await signIn.current(request)
    if (session === undefined) answerRedirect(response, signIn.startPath(path))
    return session
  }

  const entrance = (method: string, path: string, handle: BrowserHandler): BrowserEntrance => ({
    path,
    methods: [method],
    needs: 'browser',
    handle: onPages(handle, telemetry.logger),
  })
  return [
    entrance('GET', root, async (request, response) => {
      const session = await signedIn(request, response, root)
      if (session === undefined) return
      const person = await personOf(session)
      const waiting = await approvals.list(person, { isPending: true, most: mostListed })
      const page = approvalsPage(
        waiting.map((approval) => summaryOf(approval, person)),
        person.id,
        (id) => approvalPath(secret, id),
      )
      answerPage(response, 200, page)
    }),
    entrance('GET', `${root}/{link}`, async (request, response, parameter) => {
      const session = await signedIn(request, response, `${root}/${parameter}`)
      if (session !== undefined) await show(response, session, parameter)
    }),
    entrance('POST', `${root}/{link}`, act),
  ]
}

/** The approval a link names; undefined for one that was not made here. */
function idIn(secret: Uint8Array, link: string): string | undefined {
  const [id = '', proof = '', more] = link.split('.')
  const expected = Buffer.from(proofOf(secret, id))
  const shown = Buffer.from(proof)
  return more === undefined && shown.length === expected.length && timingSafeEqual(shown, expected) ? id : undefined
}

function proofOf(secret: Uint8Array, id: string): string {
  return keyedHash(secret, 'approval page v1', id).slice(0, proofLength)
}
