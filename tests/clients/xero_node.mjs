// Xero's own SDK for Node, as it comes from npm, lives the life of an invoice in the local Xero.
//
//     npm ci --prefix tests/clients && npm test --prefix tests/clients
//
// The SDK is unchanged: it discovers https://identity.xero.com, checks the id token with its own cryptography, and calls
// https://api.xero.com. `led_here.mjs` leads these hosts to a local Xero; see there. Ends with 1 where anything is not as it
// should be.

import assert from "node:assert/strict";

import xeroNode from "xero-node";

import { leadHere } from "./led_here.mjs";
import { allowAccess, startLocalXero } from "./local_xero.mjs";

const { Invoice, LineAmountTypes, Payment, XeroClient } = xeroNode;

const APP = { clientId: "xero-node-app", clientSecret: "its-secret" };
const CALLBACK = "http://localhost:3000/callback";
const SCOPES =
  "openid profile email offline_access accounting.contacts accounting.invoices accounting.payments accounting.settings";
const [DAY, LATER] = ["2026-09-14", "2026-09-28"];
const AN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function client(changes = {}) {
  return new XeroClient({
    ...APP,
    redirectUris: [CALLBACK],
    scopes: SCOPES.split(" "),
    state: "state-of-the-app",
    httpTimeout: 20_000,
    ...changes,
  });
}

/** The error that a promise ends with. */
async function refusal(promise) {
  return promise.then(
    () => assert.fail("It was taken."),
    (error) => error,
  );
}

/** The answer that a call of the Accounting API is refused with: the SDK's error is text in JSON. */
async function refusedCall(promise) {
  return JSON.parse(await refusal(promise)).response;
}

async function signInAndRefresh() {
  const xero = client();
  const consentUrl = await xero.buildConsentUrl();
  assert.ok(consentUrl.startsWith("https://login.xero.com/identity/connect/authorize?"));
  const tokens = await xero.apiCallback(await allowAccess(consentUrl)); // checks signature, iss, aud, exp, iat, at_hash
  const person = tokens.claims();
  assert.equal(person.iss, "https://identity.xero.com");
  assert.equal(person.aud, APP.clientId);
  assert.match(person.xero_userid, AN_ID);
  assert.ok(person.email && person.given_name && person.family_name && person.preferred_username && person.sid);
  assert.equal(tokens.expires_in, 1800);
  assert.equal((await xero.openIdClient.userinfo(tokens)).sub, person.sub);

  const refreshed = await xero.refreshToken(); // by Basic authorisation, as openid-client does
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
  assert.equal(refreshed.claims().sub, person.sub);
  const { clientId, clientSecret } = APP;
  const again = await xero.refreshWithRefreshToken(clientId, clientSecret, refreshed.refresh_token);
  assert.notEqual(again.access_token, refreshed.access_token);
  return xero;
}

async function wrongSecret(refreshToken) {
  const error = await refusal(client().refreshWithRefreshToken(APP.clientId, "wrong", refreshToken));
  assert.deepEqual([error.response.status, error.response.data], [400, { error: "invalid_client" }]);
  const stranger = client({ clientSecret: "wrong" });
  const callback = await allowAccess(await stranger.buildConsentUrl());
  assert.equal((await refusal(stranger.apiCallback(callback))).error, "invalid_client");
}

async function customConnection() {
  const xero = client({ grantType: "client_credentials", scopes: ["accounting.settings"] });
  await xero.getClientCredentialsToken();
  const { body } = await xero.accountingApi.getOrganisations(""); // no organisation is named
  assert.equal(body.organisations.length, 1);
}

async function organisation(xero) {
  const [tenant, ...others] = await xero.updateTenants();
  assert.deepEqual(others, []);
  assert.equal(tenant.tenantName, "Demo Company (AU)");
  const { response, body } = await xero.accountingApi.getOrganisations(tenant.tenantId);
  assert.equal(body.organisations[0].baseCurrency, "AUD");
  assert.match(response.headers["xero-correlation-id"], AN_ID);
  return tenant.tenantId;
}

function line(unitAmount, changes = {}) {
  return { description: "Consultation", quantity: 1, unitAmount, accountCode: "200", taxType: "OUTPUT", ...changes };
}

function invoiceFor(contact, lineItems, changes = {}) {
  return {
    type: Invoice.TypeEnum.ACCREC,
    contact: { contactID: contact.contactID },
    date: DAY,
    dueDate: LATER,
    lineAmountTypes: LineAmountTypes.Exclusive,
    status: Invoice.StatusEnum.AUTHORISED,
    lineItems,
    ...changes,
  };
}

async function invoiceIsMadeApprovedAndPaid({ accountingApi: api }, tenant, contact) {
  const draft = invoiceFor(contact, [line(100, { discountRate: 10 })], {
    invoiceNumber: "NODE-1",
    reference: "Session 12",
    status: Invoice.StatusEnum.DRAFT,
  });
  const [made] = (await api.createInvoices(tenant, { invoices: [draft] })).body.invoices;
  assert.deepEqual([made.status, made.subTotal, made.totalTax, made.total], ["DRAFT", 90, 9, 99]);
  assert.deepEqual([made.lineItems[0].discountRate, made.lineItems[0].lineAmount], [10, 90]);

  const approve = { invoices: [{ status: Invoice.StatusEnum.AUTHORISED }] };
  const [approved] = (await api.updateInvoice(tenant, made.invoiceID, approve)).body.invoices;
  assert.deepEqual([approved.status, approved.amountDue], ["AUTHORISED", 99]);

  const money = { invoice: { invoiceID: made.invoiceID }, account: { code: "090" }, date: LATER, amount: 99 };
  const [paid] = (await api.createPayments(tenant, { payments: [money] })).body.payments;
  assert.equal(paid.status, Payment.StatusEnum.AUTHORISED);
  const [read] = (await api.getInvoice(tenant, made.invoiceID)).body.invoices;
  assert.deepEqual([read.status, read.amountDue, read.amountPaid], ["PAID", 0, 99]);
  assert.equal(read.payments[0].paymentID, paid.paymentID);
  return { invoice: made, payment: paid };
}

async function creditIsAllocated({ accountingApi: api }, tenant, contact) {
  const wish = { invoices: [invoiceFor(contact, [line(100)], { invoiceNumber: "NODE-2" })] };
  const [invoice] = (await api.createInvoices(tenant, wish)).body.invoices;
  const credit = {
    type: "ACCRECCREDIT",
    contact: { contactID: contact.contactID },
    date: LATER,
    status: "AUTHORISED",
    lineAmountTypes: LineAmountTypes.Exclusive,
    lineItems: [line(50)],
  };
  const [note] = (await api.createCreditNotes(tenant, { creditNotes: [credit] })).body.creditNotes;
  assert.deepEqual([note.total, note.remainingCredit], [55, 55]);
  const share = { invoice: { invoiceID: invoice.invoiceID }, amount: 55, date: LATER };
  const made = await api.createCreditNoteAllocation(tenant, note.creditNoteID, { allocations: [share] });
  assert.equal(made.body.allocations[0].amount, 55);
  const [owed] = (await api.getInvoice(tenant, invoice.invoiceID)).body.invoices;
  assert.deepEqual([owed.amountCredited, owed.amountDue], [55, 55]);
  const [used] = (await api.getCreditNote(tenant, note.creditNoteID)).body.creditNotes;
  assert.deepEqual([used.status, used.remainingCredit], ["PAID", 0]);
  return invoice;
}

async function allIsFoundAgain({ accountingApi: api }, tenant, contact) {
  const since = undefined;
  const none = [undefined, undefined, undefined, undefined];
  const page = (where, number) =>
    api.getInvoices(tenant, since, where, "InvoiceNumber ASC", ...none, number, ...none, 1);
  for (const [number, expected] of [
    [1, "NODE-1"],
    [2, "NODE-2"],
  ]) {
    const { invoices, pagination } = (await page('Type=="ACCREC"', number)).body;
    assert.deepEqual([invoices.map((one) => one.invoiceNumber), pagination.pageCount], [[expected], 2]);
  }
  const found = (await page('Reference=="Session 12" AND Status=="PAID"', 1)).body.invoices;
  assert.deepEqual([found.length, found[0].lineItems.length], [1, 1]);
  assert.equal((await refusedCall(page("Reference==", 1))).statusCode, 400);
  const { contacts } = (await api.getContacts(tenant, since, `Name=="${contact.name}"`)).body;
  assert.deepEqual(
    contacts.map((one) => one.contactID),
    [contact.contactID],
  );
}

async function paymentAndInvoicesAreTakenBack({ accountingApi: api }, tenant, { invoice, payment }, credited) {
  const { payments } = (await api.deletePayment(tenant, payment.paymentID, { status: "DELETED" })).body;
  assert.equal(payments[0].status, "DELETED");
  const [open] = (await api.getInvoice(tenant, invoice.invoiceID)).body.invoices;
  assert.deepEqual([open.status, open.amountDue], ["AUTHORISED", 99]);
  const voiding = { invoices: [{ status: Invoice.StatusEnum.VOIDED }] };
  const [voided] = (await api.updateInvoice(tenant, invoice.invoiceID, voiding)).body.invoices;
  assert.equal(voided.status, "VOIDED");
  const refused = await refusedCall(api.updateInvoice(tenant, credited.invoiceID, voiding));
  assert.equal(refused.statusCode, 400);
  assert.ok(refused.body.Elements[0].ValidationErrors.length);
  assert.match(refused.headers["xero-correlation-id"], AN_ID);
}

async function accessIsGivenUp(xero, tenant) {
  await xero.revokeToken();
  assert.equal((await refusedCall(xero.accountingApi.getOrganisations(tenant))).statusCode, 403);
}

async function live() {
  const xero = await signInAndRefresh();
  await wrongSecret(xero.readTokenSet().refresh_token);
  await customConnection();
  const tenant = await organisation(xero);
  const wish = { contacts: [{ name: "Jo Smith (Caspen 10001)", contactNumber: "client-1", emailAddress: "jo@example.com" }] };
  const [contact] = (await xero.accountingApi.createContacts(tenant, wish)).body.contacts;
  assert.match(contact.contactID, AN_ID);
  const first = await invoiceIsMadeApprovedAndPaid(xero, tenant, contact);
  const credited = await creditIsAllocated(xero, tenant, contact);
  await allIsFoundAgain(xero, tenant, contact);
  await paymentAndInvoicesAreTakenBack(xero, tenant, first, credited);
  await accessIsGivenUp(xero, tenant);
}

const box = await startLocalXero("--client", `${APP.clientId}:${APP.clientSecret}`);
try {
  leadHere(box.url);
  await live();
  console.log("xero-node: all is well.");
} finally {
  await box.stop();
}
