/** `turnward servers`: installs MCP servers, shows what is installed, brings it up to date and removes it. */
import { Option, type Command } from 'commander'
import { addServer } from '../servers/add.ts'
import { restartServer } from '../servers/asking-restart.ts'
import { showLogs } from '../servers/showing-logs.ts'
import { listServersOf } from '../servers/listing-servers.ts'
import { removeServer } from '../servers/removing-server.ts'
import { showServer } from '../servers/showing-server.ts'
import { updateServer } from '../servers/updating-server.ts'
import { configOption, jsonOption } from '../shared-options.ts'

export function addServers(program: Command): void {
  const servers = program.command('servers').description('install and manage MCP servers')
  withConsent(
    servers
      .command('add')
      .description('install a server from npm or PyPI, or take one from a registry document, try it, and write its entry')
      .argument('<package>', '`npm:NAME` or `pypi:NAME`, with `@VERSION` or without for the newest; or a `server.json` of the MCP registry')
      .argument('[args...]', 'arguments of the server; behind `--` when they begin with a dash')
      .option('--name <name>', 'name of the server; default: after its package')
      .option('--bin <program>', 'which program of the package is the server')
      .option('--gateway <name>', 'MCP gateway that shows it')
      .addOption(repeated('--mount <path>', 'folder it sees, read-only; with `:rw` behind it may write'))
      .addOption(repeated('--network <host>', 'host it may reach, `name` or `name:port`; `tcp:name:port` for databases and the like'))
      .addOption(repeated('--env <name>', 'variable it gets: `NAME` from the environment of the gateway, or `NAME=VALUE`'))
      .addOption(repeated('--set <value>', '`NAME=VALUE`: what a registry document leaves open'))
      .option('--remote', 'the address of a registry document rather than its package'),
  )
    .addHelpText(
      'after',
      `
Example:
  $ turnward servers add npm:@modelcontextprotocol/server-filesystem ./notes --mount ./notes:rw --gateway main
  $ turnward servers add pypi:mcp-server-time --yes -- --local-timezone Europe/Berlin
  $ turnward servers add ./server.json --set directory=./notes --mount ./notes

No code of a package runs while it is installed. Exit code 5 when nobody could be asked and nothing was changed.`,
    )
    .action(addServer)
  servers
    .command('list')
    .description('list the servers of the configuration, and whether what was installed is still that')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward servers list')
    .action(listServersOf)
  servers
    .command('show')
    .description('show one server: what runs, what it sees, where it may go, its tools, its entry')
    .argument('<name>', 'a server of the configuration')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward servers show files')
    .action(showServer)
  servers
    .command('restart')
    .description('end a server at the gateways that run, with the calls in it, and start it anew')
    .argument('<name>', 'a server of the configuration')
    .option('--by <name>', 'who asks for it (default: the user of this machine)')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward servers restart files\n\nExit code 4 when no gateway runs, 5 when the server does not start.',
    )
    .action(restartServer)
  servers
    .command('logs')
    .description('show what a server wrote to stderr, when it started and why it ended')
    .argument('<name>', 'a server of the configuration')
    .option('-n, --lines <count>', 'how many of the last lines', '200')
    .option('-f, --follow', 'go on with what it writes')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward servers logs files --follow')
    .action(showLogs)
  withConsent(
    servers
      .command('update')
      .description('install another version beside the one that runs, try it, show what changes, and put it in its place')
      .argument('<name>', 'a server that was installed')
      .option('--version <version>', 'exact version; default: the newest'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward servers update files\n\nA server whose files have changed is installed again. Exit code 5 when nobody could be asked and nothing was changed.',
    )
    .action(updateServer)
  withConsent(
    servers
      .command('remove')
      .description('take a server out of the configuration, and remove what was installed for it')
      .argument('<name>', 'a server of the configuration'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward servers remove files --yes\n\nExit code 5 when nobody could be asked and nothing was changed.',
    )
    .action(removeServer)
}

function withConsent(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'say what would be done, and do nothing')
    .addOption(configOption())
    .addOption(jsonOption())
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: readonly string[]) => [...before, value]).default([])
}
