/** Stripe’s own server, mcp.stripe.com or `@stripe/mcp`. */
import type { ContractPack } from '../pack.ts'
import { each, edits, posts, readsOthers, readsOwn, readsPublished, withRoles, words } from './kinds.ts'

const records = readsOthers('Customers, disputes and payments carry names and texts that customers typed.')
const money = edits('Moves money or asks people for it: only from a session that has read nothing untrusted or restricted.')
/** Not named, so authorities: prices, amounts, quantities, currencies, days, what it is tied to. */
const drafts = posts(
  'Says what is sold to whom and for how much, and is charged by nobody yet: after untrusted reads customers, prices, amounts, addresses and links need a source no stranger writes.',
)
const terms = edits('Changes what customers are offered or charged.')

export const stripe: ContractPack = {
  name: 'stripe',
  version: 2,
  of: 'mcp.stripe.com',
  contracts: {
    ...each(['get_stripe_account_info', 'retrieve_balance'], readsOwn('The account of the organisation itself.')),
    ...each(['list_products', 'list_prices', 'list_coupons'], readsOwn('The organisation’s own offers.')),
    ...each(['list_customers', 'list_invoices', 'list_payment_intents', 'list_subscriptions', 'list_disputes'], records),
    ...each(['search_stripe_resources', 'fetch_stripe_resources'], records),
    search_stripe_documentation: readsPublished('Stripe’s public documentation.'),
    // Whoever asks about a payment has named it: that alone must not be enough to pay it back.
    ...each(['create_refund', 'finalize_invoice', 'cancel_subscription', 'update_subscription', 'update_dispute'], money),
    create_customer: withRoles(drafts, { name: words, email: 'destination' }),
    create_invoice: withRoles(drafts, { customer: 'destination' }),
    create_invoice_item: withRoles(drafts, { customer: 'destination' }),
    create_payment_link: withRoles(drafts, { redirect_url: 'destination' }),
    create_product: withRoles(drafts, { name: words, description: words }),
    create_price: withRoles(drafts, {}),
    create_coupon: terms,
  },
}
