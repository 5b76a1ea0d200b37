/** `turnward usage`: what was used at a gateway, and what it has cost. */
import { usageDimensions, type usageSchema } from '@turnward/contract/api/usage'
import { type Command, Option } from 'commander'
import type { z } from 'zod'
import { printable } from '../../audit/format-tree.ts'
import { type ApiOptions, askApi, pathOf } from '../api-client.ts'
import { fail, print, table } from '../output.ts'
import { administratorKeyOption, jsonOption, urlOption } from '../shared-options.ts'

interface UsageOptions extends ApiOptions {
  readonly json?: boolean
  readonly by: string
  readonly from?: string
  readonly to?: string
  readonly step?: string
  readonly principal?: string
  readonly model?: string
}

export function addUsage(program: Command): void {
  program
    .command('usage')
    .description('calls, tokens and cost at a running gateway: of the last 24 hours, unless said')
    .addOption(new Option('--by <what>', 'what it is told apart by').choices(usageDimensions).default('model'))
    .option('--from <time>', 'ISO date or time, or Unix milliseconds')
    .option('--to <time>', 'likewise; default: now')
    .addOption(new Option('--step <step>', 'of a row in JSON').choices(['hour', 'day']))
    .option('--principal <id>', 'only what this principal has used')
    .option('--model <model>', 'only calls of this model')
    .addOption(urlOption())
    .addOption(administratorKeyOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ TURNWARD_KEY=tw_… turnward usage --by group --from 2026-11-01 --step day')
    .action(usage)
}

async function usage(options: UsageOptions): Promise<void> {
  try {
    const { by, from, to, step, principal, model } = options
    const answer = await askApi(options, pathOf('/api/usage', { by, from, to, step, principal, model }))
    print(options, answer, usageText(answer as unknown as z.output<typeof usageSchema>))
  } catch (error) {
    fail(options, error)
  }
}

function usageText({ by, from, to, totals, unpriced }: z.output<typeof usageSchema>): string {
  const span = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`
  if (totals.length === 0) return `Nothing was used from ${span}.`
  const rows = totals.map(({ value, calls, failures, inputTokens, outputTokens, cost }) => [
    value === '' ? '(none)' : printable(value),
    ...[calls, failures, inputTokens, outputTokens].map(String),
    `$${cost.toFixed(4)}`,
  ])
  const named = unpriced.length === 0 ? '' : `\nWithout a known price, and in no sum: ${printable(unpriced.join(', '))}`
  return `${span}\n${table([[by.toUpperCase(), 'CALLS', 'FAILED', 'TOKENS IN', 'TOKENS OUT', 'COST'], ...rows])}${named}`
}
