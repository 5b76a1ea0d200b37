/** The reference server for Slack, `@modelcontextprotocol/server-slack`. */
import type { ContractPack } from '../pack.ts'
import { posts, each, readsOthers, withRoles, words } from './kinds.ts'

const says = posts(
  'Everybody in the channel reads it: after untrusted reads the channel, and links, need a source no stranger writes; what is restricted is not told.',
)

export const slack: ContractPack = {
  name: 'slack',
  version: 2,
  of: 'npm @modelcontextprotocol/server-slack',
  contracts: {
    ...each(
      ['slack_get_channel_history', 'slack_get_thread_replies'],
      readsOthers('Messages are written by everybody in the channel, guests and other bots among them.'),
    ),
    ...each(
      ['slack_list_channels', 'slack_get_users', 'slack_get_user_profile'],
      readsOthers('Names, topics and profiles are free text that others chose, channel names too.'),
    ),
    slack_post_message: withRoles(says, { channel_id: 'destination', text: words }),
    // Which thread of a channel is no other place: the same people read it.
    slack_reply_to_thread: withRoles(says, { channel_id: 'destination', thread_ts: 'content', text: words }),
    slack_add_reaction: posts('Others see it, and a reaction can start a workflow.'),
  },
}
