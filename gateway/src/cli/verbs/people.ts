/** `turnward people`: who is known in the store of a configuration. Works while the gateway runs; who is shut out is cut within seconds. */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../core/clock.ts'
import { createPeopleService, type PeopleService, type PersonInfo } from '../../identity/people/people-service.ts'
import type { NotedAct } from '../../store/acts.ts'
import { noteAct } from '../noting-act.ts'
import { table } from '../output.ts'
import { onStore } from '../on-store.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface PeopleOptions {
  readonly config: string
  readonly json?: boolean
  readonly after?: string
}

export function addPeople(program: Command): void {
  const people = program.command('people').description('look at people, shut them out, give them roles')
  const verb = (name: string, description: string): Command =>
    people.command(name).description(description).addOption(configOption()).addOption(jsonOption())
  verb('list', 'list people, up to 500 at a time')
    .option('--after <id>', 'those that come after this one', '')
    .addHelpText('after', '\nExample:\n  $ turnward people list')
    .action((options: PeopleOptions) =>
      run(
        options,
        (service) => service.list(options.after ?? '', 500),
        listText,
        (all) => ({ people: all }),
      ),
    )
  verb('show', 'show one person: issuer, groups and who put them there, roles')
    .argument('<person>', 'id')
    .addHelpText('after', '\nExample:\n  $ turnward people show alice@acme.example')
    .action((id: string, options: PeopleOptions) => run(options, (service) => service.show(id), showText))
  verb('disable', 'shut somebody out: sessions, tokens, keys and what is under way end within five seconds')
    .argument('<person>', 'id')
    .addHelpText('after', '\nExample:\n  $ turnward people disable alice@acme.example')
    .action((id: string, options: PeopleOptions) =>
      run(
        options,
        async (service, note) => {
          await note({ act: 'people.disable', subject: id, reason: `Shuts ${id} out.` })
          return service.setActive(id, false, await isDeclared(id, options, true))
        },
        () => `${id} is shut out.`,
      ),
    )
  verb('enable', 'let somebody in again; what was given to them before stays revoked')
    .argument('<person>', 'id')
    .addHelpText('after', '\nExample:\n  $ turnward people enable alice@acme.example')
    .action((id: string, options: PeopleOptions) =>
      run(
        options,
        async (service, note) => {
          await note({ act: 'people.enable', subject: id, reason: `Lets ${id} in again.` })
          return service.setActive(id, true, await isDeclared(id, options, false))
        },
        () => `${id} may come in.`,
      ),
    )
  verb('roles', 'show the roles of somebody, or put others in their place')
    .argument('<person>', 'id')
    .argument('[roles...]', 'viewer, operator, policy_author, admin, auditor; `none` for none')
    .addHelpText('after', '\nExample:\n  $ turnward people roles alice@acme.example policy_author')
    .action((id: string, roles: readonly string[], options: PeopleOptions) =>
      run(
        options,
        async (service, note) => {
          if (roles.length === 0) return service.show(id)
          await note({
            act: 'people.roles',
            subject: id,
            reason: `Gives ${id} the roles ${roles.join(', ')} in the place of those it had.`,
          })
          return service.setRoles(id, roles.join() === 'none' ? [] : roles, await isDeclared(id, options, false))
        },
        ({ roles: all }) => `${id}: ${all.length === 0 ? 'no roles in the store' : all.join(', ')}`,
      ),
    )
}

/** `otherwise`: when the configuration cannot be read. Somebody who must be shut out is, whatever has become of it. */
async function isDeclared(id: string, { config }: PeopleOptions, otherwise: boolean): Promise<boolean> {
  try {
    return (await loadConfig(config, process.env)).principals.has(id)
  } catch {
    return otherwise
  }
}

function run<R>(
  options: PeopleOptions,
  work: (service: PeopleService, note: (act: Pick<NotedAct, 'act' | 'subject' | 'reason'>) => Promise<void>) => Promise<R>,
  text: (result: R) => string,
  shown?: (result: R) => unknown,
): Promise<void> {
  return onStore(
    options,
    (store) => work(createPeopleService({ store, clock: systemClock }), (act) => noteAct(store, { ...act, verb: 'turnward people' })),
    text,
    shown,
  )
}

function listText(all: readonly PersonInfo[]): string {
  if (all.length === 0) return 'Nobody is known yet: people are when they first sign in or call, or when a directory tells of them.'
  const rows = all.map(({ id, issuer, status, roles, groups, seen }) => [
    id,
    issuer ?? '-',
    status,
    roles.join(', ') || '-',
    namesOf(groups) || '-',
    seen === null ? 'never' : new Date(seen).toISOString(),
  ])
  return table([['PERSON', 'ISSUER', 'STATUS', 'ROLES', 'GROUPS', 'SEEN'], ...rows])
}

function showText({ id, issuer, name, emails, status, roles, groups }: PersonInfo): string {
  return [
    `${id}${name === null ? '' : ` (${name})`}: ${status}`,
    `issuer  ${issuer ?? 'none'}`,
    `emails  ${emails.join(', ') || 'none'}`,
    `roles   ${roles.join(', ') || 'none in the store'}`,
    ...(groups.length === 0 ? ['groups  none in the store'] : groups.map(({ group, origin }) => `group   ${group} (${origin})`)),
  ].join('\n')
}

function namesOf(groups: PersonInfo['groups']): string {
  return [...new Set(groups.map(({ group }) => group))].join(', ')
}
