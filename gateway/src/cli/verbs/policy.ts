/** `turnward policy`: what is known of tools, what could be, and what enforcing it would have refused. */
import type { Command } from 'commander'
import { checkPolicy } from '../policy/check.ts'
import { reportReadiness } from '../policy/readiness.ts'
import { showPolicy } from '../policy/show.ts'
import { replayPolicy } from '../policy/replaying/replay.ts'
import { withConnection } from '../gateway-client.ts'
import { probePolicy } from '../policy/probing/probe.ts'
import { suggestContracts } from '../policy/suggest.ts'
import { testPolicy } from '../policy/testing/testing-policy.ts'
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
    .command('check')
    .description('look for contracts that trust what strangers can write, with what speaks for it')
    .option('--offline', 'start and contact no server; look at what contracts and packs name')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward policy check --json\n\nWarnings only: the exit code is 0 when the configuration is taken.',
    )
    .action(checkPolicy)
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
  policy
    .command('replay')
    .description('decide what the decision log has again under a draft, and tell what changes')
    .requiredOption('--with <draft>', 'the draft: a configuration file; it may include the present one')
    .option('--since <when>', 'ISO date, or a span back from now: 12h, 7d', '24h')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward policy replay --since 24h --with draft.yaml\n\nExit code 5 when the draft decides something otherwise.',
    )
    .action(replayPolicy)
  withConnection(
    policy
      .command('probe')
      .description('write marked text through tools that write, and find where it comes back as trusted')
      .argument('<plan>', 'file that names every call: `writes`, `reads`, `cleans`')
      .option('--yes', 'really make these calls')
      .addOption(configOption()),
  )
    .addHelpText(
      'after',
      '\nExample:\n  $ TURNWARD_KEY=tw_… turnward policy probe probe.yaml --yes\n\nCalls only what the plan names. Exit code 5 when a mark comes back as trusted, or nothing could be tried.',
    )
    .action(probePolicy)
  policy
    .command('test')
    .description('play written conversations through the engine, and say whether it decides them as expected')
    .argument('[files...]', 'files of policy tests; default: policy-tests.yaml beside the configuration')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward policy test policy-tests.yaml\n\nNo server is called. Exit code 5 when a call is decided otherwise.',
    )
    .action(testPolicy)
}
