/** What people read who rule on a call: all of it, as it will run, and what became of it. Pure. */
import { html, type Html } from '../../identity/browser/html.ts'
import type { Page } from '../../identity/browser/page.ts'
import { termsText } from '../../policy/approval-terms.ts'
import { scriptsOf } from './showing-arguments.ts'
import type { ApprovalSummary, ApprovalView } from './approval-view.ts'

export interface ApprovalPageView {
  readonly approval: ApprovalView
  /** Who is signed in. */
  readonly person: string
  /** Path of the page. */
  readonly path: string
  /** Against forms of others. */
  readonly csrf: Html
  /** What was just done here. */
  readonly done?: 'approve' | 'deny' | undefined
  /** Why a ruling did not count. */
  readonly problem?: string | undefined
}

export function approvalPage({ approval, person, path, csrf, done, problem }: ApprovalPageView): Page {
  const { tool, principal, actor, reason, marks, shown, status, may_rule: mayRule, rulings, expires, approvers, id } = approval
  const body = html`${problem === undefined ? undefined : html`<p class="problem" role="alert">${problem}</p>`}
    ${done === undefined ? undefined : html`<p class="note" role="status">Your ruling is on record: ${said[done]}.</p>`}
    <p>
      <b class="code">${tool}</b> is to run for <b>${principal}</b>${actor === null ? '' : html`, called by the agent <b>${actor}</b>`}.
    </p>
    <p>${reason}</p>
    ${marks.map(({ path: at, detail }) => html`<p class="warning"><b>Look closely</b> at <span class="code">${at}</span>: ${detail}.</p>`)}
    <h2>Arguments</h2>
    <pre class="arguments">${shown.map(line)}</pre>
    <dl>
      <dt>Who may rule</dt>
      ${approvers.map((terms) => html`<dd>${termsText(terms).replaceAll('`', '')}</dd>`)}
      ${rulings.map(({ by, ruling, reason: why }) => html`<dd>${by} has ${said[ruling]}${why === null ? '' : `: ${why}`}</dd>`)}
      <dt>${status === 'pending' ? 'Waits until' : 'It would have waited until'}</dt>
      <dd>${timeText(expires)}</dd>
      <dt>Approval</dt>
      <dd class="code">${id}</dd>
    </dl>
    ${mayRule ? rulingForm(approval, path, csrf) : html`<p class="note">${states[status]}</p>`}`
  return { title: `Approve ${tool}?`, body, foot: html`Signed in as ${person} · <a href="/approvals">Calls that wait</a>` }
}

/** Calls that wait for this person. `pathOf`: where each is ruled on. */
export function approvalsPage(approvals: readonly ApprovalSummary[], person: string, pathOf: (id: string) => string): Page {
  const rows = approvals.map(
    ({ id, tool, principal, expires, may_rule: mayRule }) =>
      html`<li>
        <a href="${pathOf(id)}">${tool}</a> for ${principal}, until ${timeText(expires)}${mayRule ? '' : ' (others rule on it)'}
      </li>`,
  )
  const body =
    rows.length === 0
      ? html`<p>No call waits for you.</p>`
      : html`<ul>
          ${rows}
        </ul>`
  return { title: 'Calls that wait', body, foot: html`Signed in as ${person}` }
}

/** For a link that leads nowhere, and for whoever has nothing to do with the call: one does not learn which. */
export function noApprovalPage(person: string, signInAgain: string): Page {
  const body = html`<p>There is no such call, or it is not for you to rule on.</p>
    <p>You are signed in as <b>${person}</b>.</p>
    <a class="button second" href="${signInAgain}">Sign in as somebody else</a>`
  return { title: 'Nothing to rule on', body }
}

function rulingForm({ digest, missing, values }: ApprovalView, path: string, csrf: Html): Html {
  return html`<form method="post" action="${path}">
    ${csrf}
    <input type="hidden" name="digest" value="${digest}" />
    <label for="reason">Reason (the agent and the record get it; may be empty)</label>
    <input id="reason" name="reason" autocomplete="off" maxlength="500" />
    ${
      values.length === 0
        ? undefined
        : html`<p>These values come from no source that counts: ${values.map((value) => html`<b class="code">${value}</b> `)}</p>
            <button name="ruling" value="endorse">They are right: run it, and take them in this conversation</button>`
    }
    <button name="ruling" value="approve">Approve this one call</button>
    <button class="second" name="ruling" value="deny">Deny it</button>
    ${missing > 1 ? html`<p class="hint">It takes ${missing} more people.</p>` : undefined}
  </form>`
}

const said = { approve: 'approved', deny: 'denied' } as const
const states: Readonly<Record<ApprovalView['status'], string>> = {
  pending: 'It waits, and it is not for you to rule on it now.',
  approved: 'It was approved, and has not run yet.',
  denied: 'It was denied.',
  used: 'It was approved, and the call has run.',
  expired: 'Nobody ruled in time, or nobody ran it: it has expired.',
}

/** A line, with what cannot be seen, and words that mix scripts, set apart. */
function line(text: string): Html {
  const parts = text.split(/(⟨U\+[0-9A-F]{4,6}⟩|[\p{L}\p{M}\p{N}]+)/u)
  const shown = parts.map((part) => (part.startsWith('⟨U+') || scriptsOf(part).length > 1 ? html`<mark>${part}</mark>` : part))
  return html`${shown}${'\n'}`
}

function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
