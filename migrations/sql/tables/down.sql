DROP TABLE call, call_campaign_customer, call_campaign, customer_label, customer, label,
           auth_token, user_workspace, app_user, employee, workspace;
