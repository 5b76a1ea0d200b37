/** Linear’s own server at mcp.linear.app: the names it has now, and the older ones. */
import type { ContractPack, PackArguments } from '../pack.ts'
import { each, edits, posts, readsOthers, readsPublished, withRoles, words } from './kinds.ts'

const tickets = readsOthers('Issues and comments come from customers, forms and integrations too.')
const plans = readsOthers('Names and texts are written by all who may use the workspace.')
const says = posts(
  'Everybody in the workspace reads it, and linked trackers may publish it: after untrusted reads the place, people and links need a source no stranger writes; what is restricted is not told.',
)
const sets = posts('Everybody in the workspace reads it, and linked trackers may publish it.')
/** Not named, so authorities: dates, states, priorities, labels, what it is tied to. */
const ticket: PackArguments = {
  team: 'destination',
  teamId: 'destination',
  project: 'destination',
  projectId: 'destination',
  assignee: 'destination',
  assigneeId: 'destination',
  title: words,
  description: words,
}
const comment: PackArguments = { issueId: 'destination', issue: 'destination', parentId: 'content', body: words }
const changes = edits('Creates or changes what others see, and gives back what stood there.')
const tells = edits(
  'Creates or changes what others see, and gives back what stood there: after untrusted reads the place, people and links need a source no stranger writes; what is restricted is not told.',
)

export const linear: ContractPack = {
  name: 'linear',
  version: 2,
  of: 'mcp.linear.app',
  contracts: {
    ...each(['list_issues', 'list_my_issues', 'get_issue', 'list_comments', 'get_attachment', 'extract_images'], tickets),
    ...each(['list_diffs', 'get_diff', 'get_diff_threads', 'research'], tickets),
    ...each(['list_issue_statuses', 'get_issue_status', 'list_issue_labels', 'list_project_labels', 'list_cycles'], plans),
    ...each(['list_projects', 'get_project', 'list_milestones', 'get_milestone', 'get_status_updates'], plans),
    ...each(['list_documents', 'get_document', 'list_teams', 'get_team', 'list_users', 'get_user'], plans),
    ...each(['list_releases', 'get_release', 'list_release_notes', 'get_release_note', 'list_release_pipelines'], plans),
    ...each(['list_agent_skills', 'get_agent_skill'], plans),
    search_documentation: readsPublished('Linear’s public documentation, as the server words it.'),
    create_comment: withRoles(says, comment),
    create_issue: withRoles(says, ticket),
    create_document: withRoles(says, {
      project: 'destination',
      issue: 'destination',
      title: words,
      content: words,
      icon: 'content',
      color: 'content',
    }),
    ...each(['create_project', 'create_issue_label', 'create_project_label'], sets),
    ...each(['create_milestone', 'create_attachment', 'save_status_update', 'prepare_attachment_upload'], sets),
    ...each(['save_project', 'save_milestone', 'save_document', 'save_release', 'save_release_note'], changes),
    // With an id they change what stands there.
    save_issue: withRoles(tells, { id: 'destination', ...ticket }),
    save_comment: withRoles(tells, { id: 'destination', ...comment }),
    ...each(['update_issue', 'update_project', 'update_document', 'update_milestone'], changes),
    ...each(['delete_comment', 'delete_attachment', 'delete_status_update'], changes),
  },
}
