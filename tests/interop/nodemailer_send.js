// Sends one message with Nodemailer and prints what became of it, as JSON.
//
// usage: nodemailer_send.js ORDER, a JSON file with module (the folder of Nodemailer), port, implicit (TLS from the first
// octet), ca (a file), user, password, from, to (a list) and message (a file).

const fs = require("fs");

const order = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const nodemailer = require(order.module);

const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: order.port,
  name: "node.example",
  secure: order.implicit,
  requireTLS: true,
  tls: { ca: [fs.readFileSync(order.ca)] },
  auth: { user: order.user, pass: order.password },
});

transport
  .sendMail({ envelope: { from: order.from, to: order.to }, raw: fs.readFileSync(order.message) })
  .then((info) => {
    const rejected = {};
    for (const error of info.rejectedErrors || []) {
      rejected[error.recipient] = error.responseCode;
    }
    console.log(JSON.stringify({ accepted: info.accepted, rejected }));
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
