/** `turnward limits`: how limits and budgets stand at a running gateway. */
import type { Command } from 'commander'
import { printable } from '../../audit/format-tree.ts'
import type { ShownLimit } from '../../turns/limiting/showing-limits.ts'
import { type ApiOptions, askApi, pathOf } from '../api-client.ts'
import { fail, print, table } from '../output.ts'
import { administratorKeyOption, jsonOption, urlOption } from '../shared-options.ts'

interface ShowOptions extends ApiOptions {
  readonly json?: boolean
  readonly principal?: string
}

export function addLimits(program: Command): void {
  const limits = program.command('limits').description('how limits and budgets stand')
  limits
    .command('show')
    .description('what of each limit is used and left, for whom, and when it begins anew; those per session or turn are not listed')
    .option('--principal <id>', 'only those that hold for this principal')
    .addOption(urlOption())
    .addOption(administratorKeyOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ TURNWARD_KEY=tw_… turnward limits show --principal alice')
    .action(show)
}

async function show(options: ShowOptions): Promise<void> {
  try {
    const answer = await askApi(options, pathOf('/api/limits', { principal: options.principal }))
    print(options, answer, limitsText((answer as unknown as { readonly limits: readonly ShownLimit[] }).limits))
  } catch (error) {
    fail(options, error)
  }
}

function limitsText(limits: readonly ShownLimit[]): string {
  if (limits.length === 0) return 'No limit holds here that can be listed.'
  const rows = limits.map(({ limit, per, scope, count, window, action, used, most, left, resets, runs_out: runsOut }) => [
    limit,
    per === 'none' ? 'all together' : `${per} ${scope === '' ? '(none)' : printable(scope)}`,
    count.replace('_', ' '),
    amountText(count, used),
    amountText(count, most),
    amountText(count, left),
    window.replace('_', ' '),
    resets ?? '-',
    runsOut ?? '-',
    action,
  ])
  return table([['LIMIT', 'OF', 'COUNTS', 'USED', 'MOST', 'LEFT', 'WINDOW', 'RESETS', 'RUNS OUT', 'ACTION'], ...rows])
}

/** A sliding window has parts of what was used before; nobody reads them. What is left is rounded so that it is there. */
function amountText(count: ShownLimit['count'], amount: number): string {
  return count === 'cost' ? `$${amount.toFixed(4)}` : String(Math.floor(amount))
}
