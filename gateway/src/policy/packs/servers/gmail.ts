/** Gmail as `workspace-mcp` (Google Workspace MCP) shows it. */
import type { ContractPack, PackArguments } from '../pack.ts'
import { changesOthers, changesOwn, each, posts, readsOthers, withRoles, words } from './kinds.ts'
import { workspaceLogin, workspaceServer } from './workspace.ts'

const mail = readsOthers('Anybody in the world can write a mail, its subject, its sender’s name and its attachments.')

/** Not named, so authorities: the account, attachments, a mail to forward, `reply_all`, the sender. */
const mailArguments: PackArguments = {
  to: 'destination',
  cc: 'destination',
  bcc: 'destination',
  subject: words,
  body: words,
  body_format: 'content',
  direction: 'content',
  include_signature: 'content',
  quote_original: 'content',
}

export const gmail: ContractPack = {
  name: 'gmail',
  version: 2,
  of: workspaceServer,
  contracts: {
    ...workspaceLogin,
    ...each(['search_gmail_messages', 'get_gmail_message_content', 'get_gmail_messages_content_batch'], mail),
    ...each(['get_gmail_thread_content', 'get_gmail_threads_content_batch', 'get_gmail_attachment_content'], mail),
    ...each(['list_gmail_labels', 'list_gmail_filters'], {
      why: 'Labels and filters are the principal’s own.',
      output: { trust: 'trusted' },
    }),
    send_gmail_message: withRoles(
      posts(
        'Leaves for whoever is named: after untrusted reads recipients, attachments and links need a source no stranger writes; what is restricted is not told.',
      ),
      // A reply goes to whom the thread names.
      { ...mailArguments, thread_id: 'destination', in_reply_to: 'destination', references: 'content' },
    ),
    draft_gmail_message: withRoles(
      changesOthers(
        'A draft may quote the mail it answers, and is sent with one click: after untrusted reads recipients, attachments and links need a source no stranger writes.',
      ),
      // The person sees who it goes to before it does.
      { ...mailArguments, thread_id: 'content', in_reply_to: 'content', references: 'content' },
    ),
    ...each(
      ['manage_gmail_label', 'modify_gmail_message_labels', 'batch_modify_gmail_message_labels'],
      changesOwn('Labels are also bin, spam and archive: what is moved there is not seen any more.'),
    ),
    manage_gmail_filter: posts('A filter forwards and deletes mail that has not come yet, long after this session.'),
  },
}
