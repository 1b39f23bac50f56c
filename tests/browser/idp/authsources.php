<?php
// SimpleSAMLphp's people with whatever the file of users says of them, read again at each request.
$users = ['exampleauth:UserPass'];
foreach (json_decode(file_get_contents(getenv('USERS_JSON')), true) as $person) {
    $attributes = array_diff_key($person, ['login' => 0, 'password' => 0]);
    $users["{$person['login']}:{$person['password']}"] = array_map(fn($value) => (array)$value, array_filter($attributes));
}
$config = ['users' => $users];
