/** `turnward policy`: what is known of tools, what could be, and what enforcing it would have refused. */
import type { Command } from 'commander'
import { reportReadiness } from '../policy/readiness.ts'
import { showPolicy } from '../policy/show.ts'
import { suggestContracts } from '../policy/suggest.ts'
import { configOption, jsonOption } from '../shared-options.ts'

export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('show contracts, draft missing ones, and see what enforcing them would refuse')
  policy
    .command('show')
    .description('print the contracts of the configuration')
    .option('--effective', 'with the contracts of packs')
    .option('--tool <name>', 'print only the contract this tool name gets, and why')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward policy show --effective\n  $ turnward policy show --tool Bash')
    .action(showPolicy)
  policy
    .command('suggest')
    .description('draft contracts for tools nobody described, from names, schemas, annotations and the decision log')
    .option('--server <name>', 'only for this server')
    .option('--offline', 'start and contact no server; use only what the decision log saw')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward policy suggest --server notes\n\nThe same input gives the same drafts. They trust nothing they were not told: read them before you paste them.',
    )
    .action(suggestContracts)
  policy
    .command('readiness')
    .description('tell from the decision log what `posture: standard` would have refused, and what would settle it')
    .option('--since <when>', 'ISO date, or a span back from now: 12h, 7d; default: since this revision of the configuration runs')
    .option('--offline', 'start and contact no server to draft contracts')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward policy readiness --since 7d\n\nExit code 5 when switching to `posture: standard` would have refused a call, or nothing is known yet.',
    )
    .action(reportReadiness)
}
