// A Shopify order as a sale of the REST back office: the same fields as `mappings/orders_to_http_erp.toml` writes for
// the orders of the bench, without what that mapping does for rarer ones (duties, tips, fees, edited orders).

export function referenceOf(order) {
  return `acme-order-${order.id}`;
}

export function saleOf(order) {
  return {
    reference: referenceOf(order),
    order_number: order.name,
    ordered_at: order.created_at,
    currency: order.currency,
    tax_included: order.taxes_included,
    po_number: order.po_number ?? undefined,
    party: partyOf(order),
    payment_term: order.payment_terms?.payment_terms_name,
    note: order.note?.slice(0, 5000),
    invoice_address: addressOf(order.billing_address),
    shipment_address: addressOf(order.shipping_address),
    metadata: {
      shopify_order_id: String(order.id),
      channel: order.source_name,
      app_id: order.app_id === undefined ? undefined : String(order.app_id),
      company_id: order.company === undefined ? undefined : String(order.company.id),
      company_location_id: order.company === undefined ? undefined : String(order.company.location_id),
    },
    lines: [...goodsOf(order), ...shippingOf(order)],
    totals: {
      net: difference(order.current_total_price, order.current_total_tax),
      tax: order.current_total_tax,
      gross: order.current_total_price,
    },
  };
}

const PARTIES = {
  76500000001: 'CUST-001',
  76500000002: 'CUST-002',
  76500000003: 'CUST-003',
  76500000004: 'CUST-004',
  76500000005: 'CUST-005',
};

function partyOf(order) {
  if (!order.company) return 'CUST-WEB';
  const party = PARTIES[order.company.location_id];
  if (!party) throw new Error(`company location ${order.company.location_id} has no party`);
  return party;
}

function goodsOf(order) {
  return (order.line_items ?? [])
    .filter((line) => (line.current_quantity ?? line.quantity) > 0)
    .map((line) => ({
      sku: line.gift_card ? 'GIFT-CARD' : (line.sku ?? 'CUSTOM'),
      description: [line.title, line.variant_title].filter(Boolean).join(', ').slice(0, 1000),
      quantity: String(line.current_quantity ?? line.quantity),
      unit_price: line.price,
      discount: sum((line.discount_allocations ?? []).map((one) => one.amount)),
      tax_rates: (line.tax_lines ?? []).map((tax) => String(tax.rate)),
      tax: sum((line.tax_lines ?? []).map((tax) => tax.price)),
    }));
}

function shippingOf(order) {
  return (order.shipping_lines ?? [])
    .filter((line) => !line.is_removed)
    .map((line) => ({
      sku: 'SHIPPING',
      description: line.title.slice(0, 1000),
      quantity: '1',
      unit_price: line.price,
      discount: difference(line.price, line.discounted_price),
      tax_rates: (line.tax_lines ?? []).map((tax) => String(tax.rate)),
      tax: sum((line.tax_lines ?? []).map((tax) => tax.price)),
    }));
}

function addressOf(address) {
  if (!address) return undefined;
  return {
    name: address.name,
    company: address.company,
    street: address.address1,
    street2: address.address2,
    zip: address.zip,
    city: address.city,
    province: address.province_code ?? address.province,
    country: address.country_code ?? address.country,
    phone: address.phone,
  };
}

// Amounts are decimal texts; they are added as whole cents.
const cents = (text) => Math.round(Number(text ?? 0) * 100);
const sum = (texts) => (texts.reduce((total, text) => total + cents(text), 0) / 100).toFixed(2);
const difference = (from, less) => ((cents(from) - cents(less)) / 100).toFixed(2);
