'use strict';

// Gives a user a role, while the service runs or not. The user has it from the next refresh on.
//
//   node examples/auth-service/role.js <data> <name> <role>

const { openUsers } = require('./users.js');

async function main([data, name, role]) {
  if (role === undefined) throw new Error('give the data directory, the name and the role');
  const users = openUsers(data);
  try {
    if (!(await users.setRole(name, role))) throw new Error(`there is no user ${name}`);
  } finally {
    await users.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
