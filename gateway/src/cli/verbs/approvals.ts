/** `turnward approvals`: calls that wait for a person, shown whole and ruled on at a running gateway, in the name of whoever's key it is. */
import type { Command } from 'commander'
import { asText, type JsonObject } from '../../core/json.ts'
import { listOf, printableLines, timeText } from '../answered-text.ts'
import { type ApiOptions, askApi } from '../api-client.ts'
import { fail, print, table } from '../output.ts'
import { administratorKeyOption, jsonOption, urlOption } from '../shared-options.ts'

interface ApprovalOptions extends ApiOptions {
  readonly json?: boolean
  readonly all?: boolean
  readonly reason?: string
  readonly endorse?: boolean
}

export function addApprovals(program: Command): void {
  const approvals = program.command('approvals').description('list, show, approve and deny calls that wait for a person')
  const verb = (name: string, description: string, example: string): Command =>
    approvals
      .command(name)
      .description(description)
      .addOption(urlOption())
      .addOption(administratorKeyOption())
      .addOption(jsonOption())
      .addHelpText('after', `\nExample:\n  $ TURNWARD_KEY=tw_… turnward approvals ${example}`)
  verb('list', 'list those that wait for you, and your own calls', 'list')
    .option('--all', 'those that are over as well')
    .action((options: ApprovalOptions) =>
      run(options, () => askApi(options, `/api/approvals${options.all === true ? '?status=all' : ''}`), listText),
    )
  verb('show', 'show the whole call', 'show ap_…')
    .argument('<id>', 'as `turnward approvals list` shows it')
    .action((id: string, options: ApprovalOptions) => run(options, () => askApi(options, pathOf(id)), showText))
  for (const [name, description] of [
    ['approve', 'let this one call run, once'],
    ['deny', 'refuse this call'],
  ] as const) {
    const ruling = verb(name, description, `${name} ap_… --reason "checked with acme"`)
      .argument('<id>', 'as `turnward approvals list` shows it')
      .option('--reason <text>', 'why; the agent and the record get it')
      .action((id: string, options: ApprovalOptions) =>
        run(
          options,
          () =>
            askApi(options, `${pathOf(id)}/${name}`, {
              body: {
                ...(options.reason === undefined ? {} : { reason: options.reason }),
                ...(options.endorse === true ? { endorse: true } : {}),
              },
            }),
          showText,
        ),
      )
    if (name === 'approve')
      ruling.option('--endorse', 'vouch for its values that come from no source that counts, in the rest of the conversation')
  }
}

function pathOf(id: string): string {
  return `/api/approvals/${encodeURIComponent(id)}`
}

async function run(options: ApprovalOptions, ask: () => Promise<JsonObject>, text: (answer: JsonObject) => string): Promise<void> {
  try {
    const answer = await ask()
    print(options, answer, printableLines(text(answer)))
  } catch (error) {
    fail(options, error)
  }
}

function listText({ approvals }: JsonObject): string {
  const rows = listOf(approvals).map((one) => [
    asText(one.id),
    asText(one.status),
    asText(one.tool),
    asText(one.principal),
    timeText(one.expires),
    one.may_rule === true ? 'yours to rule on' : '',
  ])
  return rows.length === 0 ? 'No call waits.' : table(rows)
}

function showText(one: JsonObject): string {
  const facts = table([
    ['approval', asText(one.id)],
    ['status', asText(one.status)],
    ['tool', asText(one.tool)],
    ['for', asText(one.principal) + (typeof one.actor === 'string' ? ` by ${one.actor}` : '')],
    ['because', asText(one.reason)],
    ['until', timeText(one.expires)],
    ...listOf(one.rulings).map((made) => [
      asText(made.ruling) === 'approve' ? 'approved by' : 'denied by',
      asText(made.by) + (typeof made.reason === 'string' ? `: ${made.reason}` : ''),
    ]),
  ])
  const marks = listOf(one.marks).map(({ path, detail }) => `! look closely at ${asText(path)}: ${asText(detail)}`)
  const shown = Array.isArray(one.shown) ? one.shown.map(asText) : []
  const values = (Array.isArray(one.values) ? one.values.map(asText) : []).map((value) => `? from no source that counts: ${value}`)
  return [facts, ...marks, ...values, 'arguments', ...shown].join('\n')
}
