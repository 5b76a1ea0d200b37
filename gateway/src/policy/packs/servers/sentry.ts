/** Sentry’s own server, `@sentry/mcp-server` or mcp.sentry.dev. */
import type { ContractPack } from '../pack.ts'
import { actsOutside, changesOwn, each, edits, readsOthers, readsOwn, readsPublished, withRoles, words } from './kinds.ts'

const events = readsOthers('Errors carry what visitors of the application sent: addresses, headers, names, texts. Anybody can cause one.')

export const sentry: ContractPack = {
  name: 'sentry',
  version: 2,
  of: 'npm @sentry/mcp-server',
  contracts: {
    ...each(['whoami', 'find_organizations', 'find_teams', 'find_projects', 'find_dsns'], readsOwn('The organisation’s own settings.')),
    find_releases: readsOthers('Releases carry messages of commits.'),
    ...each(['search_issues', 'search_events', 'search_issue_events', 'get_issue_tag_values', 'get_event_attachment'], events),
    ...each(['get_replay_details', 'get_profile_details', 'get_sentry_resource'], events),
    ...each(['search_docs', 'get_doc'], readsPublished('Sentry’s public documentation.')),
    update_issue: withRoles(
      edits(
        'Others see it, and what is resolved is not looked at; gives back what the event said. After untrusted reads the issue, the state and the person need a source no stranger writes.',
      ),
      { organizationSlug: 'destination', issueId: 'destination', issueUrl: 'destination', assignedTo: 'destination', reason: words },
    ),
    search_sentry_tools: readsOwn('Names and arguments of the server’s other tools; each is decided when it is called.'),
    execute_sentry_tool: actsOutside(
      'Calls any tool of the server by a name in its arguments, those that change something among them, and gives back what strangers may have written.',
    ),
    analyze_issue_with_seer: edits('Lets another model work on the event and the code, and gives back what it says.'),
    ...each(
      ['create_team', 'create_project', 'update_project', 'create_dsn'],
      changesOwn('Settings of the organisation, so it needs a session that has read nothing untrusted.'),
    ),
  },
}
