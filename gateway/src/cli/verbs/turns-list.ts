/** `turnward turns list`: turns of a running gateway, found by what they did. */
import type { turnsSchema } from '@turnward/contract/api/turns'
import type { Command } from 'commander'
import type { z } from 'zod'
import { printable } from '../../audit/format-tree.ts'
import { type ApiOptions, askApi, pathOf } from '../api-client.ts'
import { fail, print, table } from '../output.ts'
import { administratorKeyOption, jsonOption, urlOption } from '../shared-options.ts'

const filters = ['session', 'principal', 'agent', 'model', 'tool', 'verdict', 'action', 'label', 'from', 'to', 'limit', 'cursor'] as const

type ListOptions = ApiOptions & { readonly json?: boolean } & { readonly [Name in (typeof filters)[number]]?: string }

export function addTurnsList(turns: Command): void {
  turns
    .command('list')
    .description('list turns of a running gateway, those that began last first')
    .option('--session <id>', 'only those of a session')
    .option('--principal <id>', 'only those of this principal')
    .option('--agent <id>', 'only those with this actor')
    .option('--model <model>', 'only those that asked it')
    .option('--tool <tool>', 'only those that proposed or called it')
    .option('--verdict <verdict>', 'only those with a record that has it: allow, deny, warn')
    .option('--action <action>', 'only those with a record that has it: refuse, hold, observe, …')
    .option('--label <trust>', 'only those whose label has had this trust')
    .option('--from <time>', 'begun not before: an ISO date or time, or Unix milliseconds')
    .option('--to <time>', 'begun before')
    .option('-n, --limit <count>', 'how many, 200 at most', '20')
    .option('--cursor <cursor>', 'where the list before ended: its `next` in JSON')
    .addOption(urlOption())
    .addOption(administratorKeyOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ TURNWARD_KEY=tw_… turnward turns list --action refuse --tool mail__send')
    .action(list)
}

async function list(options: ListOptions): Promise<void> {
  try {
    const query = Object.fromEntries(filters.map((name) => [name, options[name]]))
    const answer = await askApi(options, pathOf('/api/turns', query))
    print(options, answer, turnsText(answer as unknown as z.output<typeof turnsSchema>))
  } catch (error) {
    fail(options, error)
  }
}

function turnsText({ turns, next }: z.output<typeof turnsSchema>): string {
  if (turns.length === 0) return 'No turn is like this.'
  const rows = turns.map(({ turn, first, last, principal, actor, models, modelCalls, toolCalls, refusals, label, totals, outcome }) => [
    new Date(first).toISOString().slice(0, 19),
    `${((last - first) / 1000).toFixed(1)} s`,
    printable(turn),
    printable(actor === null ? principal : `${principal} via ${actor}`),
    printable(models.join(', ')),
    String(modelCalls),
    String(toolCalls),
    String(refusals),
    printable(label?.trust ?? '-'),
    totals.unpriced.length === 0 ? `$${totals.cost.toFixed(4)}` : 'unpriced',
    outcome ?? '-',
  ])
  const head = ['BEGAN', 'TOOK', 'TURN', 'WHO', 'MODELS', 'CALLS', 'TOOLS', 'REFUSED', 'TRUST', 'COST', 'OUTCOME']
  return `${table([head, ...rows])}${next === null ? '' : `\nMore: --cursor ${next}`}`
}
