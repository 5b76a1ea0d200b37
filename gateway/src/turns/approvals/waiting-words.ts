/** What is said of calls that wait, or waited, for a person. Made of configuration, names and the words of approvers only. */
import { termsText } from '../../policy/approval-terms.ts'
import type { Approval } from './approval.ts'

/** For the model, in the place of a result. `link`: where the call is ruled on; undefined where there is no page. */
export function waitingNotice({ id, facts, expires }: Approval, link: string | undefined): string {
  const where = link === undefined ? '' : ` It is ruled on at ${link} .`
  return line(
    `waiting for approval ${id}; not run yet: ${facts.reason} Asked: ${facts.terms.map(termsText).join('; and ')}, until ${new Date(expires).toISOString()}.${where} Do not make the call again now: tell the user that it waits, or go on with something else. The conversation is told of the ruling, and the same call then runs once.`,
  )
}

/** For the person: one line. */
export function lineForWaiting(tool: string, { id }: Approval, link: string | undefined): string {
  return `${named(tool)} waits for approval ${id}${link === undefined ? '' : ` (${link})`}`
}

/** For the model of a later call: what was ruled. */
export function ruledNotice({ id, facts, rulings, status }: Approval): string {
  const what = `the call of ${named(facts.calledAs ?? facts.tool)} that waited for approval ${id}`
  if (status === 'approved')
    return line(
      `A person has approved ${what}. Make the same call with the same arguments now: it runs once, without being asked about again.`,
    )
  if (status === 'expired') return line(`Nobody has ruled in time on ${what}: it was not run.`)
  const reason = rulings.findLast(({ ruling }) => ruling === 'deny')?.reason
  return line(`A person has denied ${what}${reason === undefined ? '' : `, and says: ${reason}`}. Do not make this call again.`)
}

/** Only the characters that names of tools have. */
function named(tool: string): string {
  return `\`${tool.replace(/[^\w.:/-]/g, '_').slice(0, 64)}\``
}

function line(text: string): string {
  const whole = text
    .replace(/[\s\p{C}]+/gu, ' ')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
  return whole.length <= 1200 ? whole : `${whole.slice(0, 1199).replace(/[\uD800-\uDBFF]$/, '')}…`
}
