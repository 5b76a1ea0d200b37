/** Google Calendar as `workspace-mcp` (Google Workspace MCP) shows it. */
import type { ContractPack } from '../pack.ts'
import { changesOwn, each, edits, readsOthers, withRoles, words } from './kinds.ts'
import { workspaceLogin, workspaceServer } from './workspace.ts'

export const googleCalendar: ContractPack = {
  name: 'google-calendar',
  version: 2,
  of: workspaceServer,
  contracts: {
    ...workspaceLogin,
    ...each(['list_calendars', 'get_events', 'query_freebusy'], readsOthers('Anybody can invite the principal, with a text of their own.')),
    manage_event: withRoles(
      edits(
        'Invites, uninvites and tells people: after untrusted reads who is invited, which event is changed, and links need a source no stranger writes; what is restricted is not told.',
      ),
      // Not named, so authorities: the account, the event, the calendar, answers, repetition, rights of guests, attachments.
      {
        // Without an event it can only create one.
        action: 'content',
        attendees: 'destination',
        summary: words,
        description: words,
        location: words,
        start_time: 'content',
        end_time: 'content',
        timezone: 'content',
        start_timezone: 'content',
        end_timezone: 'content',
        add_google_meet: 'content',
        reminders: 'content',
        use_default_reminders: 'content',
        color_id: 'content',
      },
    ),
    manage_out_of_office: edits('Answers everybody who invites the principal, with a text, and declines for them.'),
    manage_focus_time: edits('Declines invitations of others for the principal, with a text.'),
    create_calendar: changesOwn('An empty calendar of the principal’s own.'),
  },
}
