/** GitHub’s own server, `github/github-mcp-server`, started here or at api.githubcopilot.com: every toolset, newer and older names. */
import type { ContractPack, PackArgument } from '../pack.ts'
import { changesOwn, each, edits, posts, readsOthers, readsOwn, readsPublished, withRoles, words } from './kinds.ts'

const conversations = readsOthers('Issues, reviews, discussions and notices are written by anybody with an account.')
const code = readsOthers('Code, commits and releases of a repository are what its contributors, and of a fork anybody, put there.')
const found = readsOthers('Names and descriptions of what was found are chosen by those who published it.')
const alerts = readsOthers('Quotes code and manifests, which contributors wrote, and is for those who look after the repository.')
const boards = readsOthers('Titles and fields of boards are written by all who may use them.')
const says = posts(
  'Others read it, and of a public repository everybody: it needs a session that has read nothing untrusted or restricted.',
)
const tells = posts(
  'Others read it, and of a public repository everybody: after untrusted reads the repository, the issue, people and links need a source no stranger writes; what is restricted is not told.',
)
/** The repository, and the issue of it that an argument names. */
const repository = (number?: string): PackArgument => ({
  role: 'destination',
  with: { path: ['repo'], ...(number === undefined ? {} : { number }) },
})
const changes = edits(
  'Changes what others see and gives back what stood there, which anybody may have written: only from a session that has read nothing untrusted or restricted.',
)
const runs = edits('Starts or stops programs with the secrets of the repository, and gives back what they wrote.')

export const github: ContractPack = {
  name: 'github',
  version: 2,
  of: 'github/github-mcp-server',
  contracts: {
    get_me: readsOwn('The account of the principal itself.'),
    ...each(['get_teams', 'get_team_members'], found),
    ...each(['search_repositories', 'search_users', 'search_orgs', 'search_code', 'list_starred_repositories'], found),
    ...each(['issue_read', 'get_issue', 'get_issue_comments', 'list_issues', 'search_issues', 'list_sub_issues'], conversations),
    ...each(['list_issue_types', 'get_label', 'list_label'], conversations),
    ...each(['pull_request_read', 'get_pull_request', 'list_pull_requests', 'search_pull_requests'], conversations),
    ...each(
      [
        'get_pull_request_diff',
        'get_pull_request_files',
        'get_pull_request_status',
        'get_pull_request_comments',
        'get_pull_request_review_comments',
        'get_pull_request_reviews',
      ],
      conversations,
    ),
    ...each(['list_discussions', 'get_discussion', 'get_discussion_comments', 'list_discussion_categories'], conversations),
    ...each(['list_notifications', 'get_notification_details'], conversations),
    ...each(['get_file_contents', 'get_repository_tree', 'get_commit', 'list_commits', 'list_branches'], code),
    ...each(['list_tags', 'get_tag', 'list_releases', 'get_latest_release', 'get_release_by_tag'], code),
    ...each(['get_gist', 'list_gists'], code),
    ...each(['actions_list', 'actions_get', 'get_job_logs', 'list_workflows', 'list_workflow_runs', 'get_workflow_run'], code),
    ...each(
      [
        'get_workflow_run_logs',
        'get_workflow_run_usage',
        'list_workflow_jobs',
        'list_workflow_run_artifacts',
        'download_workflow_run_artifact',
      ],
      code,
    ),
    ...each(['get_code_scanning_alert', 'list_code_scanning_alerts', 'get_dependabot_alert', 'list_dependabot_alerts'], alerts),
    ...each(['get_secret_scanning_alert', 'list_secret_scanning_alerts'], alerts),
    ...each(['list_repository_security_advisories', 'list_org_repository_security_advisories'], alerts),
    ...each(
      ['get_global_security_advisory', 'list_global_security_advisories'],
      readsPublished('Published advisories, written by whoever reported them.'),
    ),
    ...each(['projects_list', 'projects_get', 'list_projects', 'get_project', 'list_project_fields', 'get_project_field'], boards),
    ...each(['list_project_items', 'get_project_item'], boards),
    // Not named here and below, so authorities: labels, states, branches, milestones, types, whatever a later release adds.
    add_issue_comment: withRoles(tells, { owner: repository('issue_number'), body: words }),
    create_issue: withRoles(tells, { owner: repository(), title: words, body: words, assignees: 'destination' }),
    create_pull_request: withRoles(tells, {
      owner: repository(),
      title: words,
      body: words,
      draft: 'content',
      reviewers: 'destination',
    }),
    // Which comment of a pull request is answered is no other place.
    add_reply_to_pull_request_comment: withRoles(tells, { owner: repository('pullNumber'), commentId: 'content', body: words }),
    ...each(['add_sub_issue', 'create_gist'], says),
    ...each(['add_comment_to_pending_review', 'add_pull_request_review_comment_to_pending_review'], says),
    ...each(['create_pending_pull_request_review', 'create_and_submit_pull_request_review', 'submit_pending_pull_request_review'], says),
    ...each(['create_repository', 'fork_repository', 'create_branch'], says),
    ...each(['create_or_update_file', 'push_files', 'delete_file'], says),
    // With a number it changes what stands there, and what stood there can be had back.
    issue_write: withRoles(
      edits(
        'Creates or changes what others see and gives back what stood there: after untrusted reads the repository, the issue, its state, people and links need a source no stranger writes; what is restricted is not told.',
      ),
      { owner: repository('issue_number'), method: 'content', title: words, body: words, assignees: 'destination' },
    ),
    ...each(['update_issue', 'sub_issue_write', 'remove_sub_issue', 'reprioritize_sub_issue', 'label_write'], changes),
    ...each(['update_pull_request', 'update_pull_request_branch', 'merge_pull_request'], changes),
    ...each(['pull_request_review_write', 'delete_pending_pull_request_review', 'update_gist'], changes),
    ...each(['projects_write', 'add_project_item', 'update_project_item', 'delete_project_item'], changes),
    ...each(['request_copilot_review', 'assign_copilot_to_issue', 'create_pull_request_with_copilot'], runs),
    ...each(['actions_run_trigger', 'run_workflow', 'rerun_workflow_run', 'rerun_failed_jobs', 'cancel_workflow_run'], runs),
    delete_workflow_run_logs: runs,
    ...each(['star_repository', 'unstar_repository'], says),
    ...each(
      [
        'dismiss_notification',
        'mark_all_notifications_read',
        'manage_notification_subscription',
        'manage_repository_notification_subscription',
      ],
      changesOwn('Only the principal’s own notices; what is overlooked by it may matter, so the session must have read nothing untrusted.'),
    ),
  },
}
